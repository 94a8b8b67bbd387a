import HTTPTypes
import NIOCore
import Synchronization

/// One client's Server-Sent Events, whichever version of HTTP carries them.
///
/// The owner puts events in from any thread and never waits; the connection takes them out as fast as the client reads.
/// What waits is bounded: a client that is too slow is cut off, and comes back with `Last-Event-ID` if it likes.
final class EventStream: Sendable {
    /// How a stream ended.
    enum Ending: String, Sendable, CaseIterable {
        /// The server ended it.
        case finished
        /// The client closed it, or was lost.
        case clientLeft = "client_left"
        /// More waited for the client than may.
        case tooSlow = "too_slow"
    }

    /// What the connection is to do next.
    enum Next {
        case write(ByteBuffer)
        /// Nothing waits: the wake-up will come.
        case wait
        /// Everything is taken, and no more comes.
        case end
        /// The client is to be cut off.
        case cut
    }

    private struct State {
        var waiting = ByteBuffer()
        var borrowed: BorrowedBytes
        var isFinished = false
        var ending: Ending?
        var wake: (@Sendable () -> Void)?
        var isWakeWanted = false
        var onEnd: (@Sendable (Ending) -> Void)?
    }

    private let state: Mutex<State>
    private let limit: Int

    /// - Parameters:
    ///   - limit: bytes that may wait for the client.
    ///   - loan: what they are borrowed by.
    ///   - onEnd: called once, from any thread, when the stream is over and its owner may forget it.
    init(limit: Int = 1_048_576, loan: MemoryLoan, onEnd: @escaping @Sendable (Ending) -> Void = { _ in }) {
        self.limit = limit
        state = Mutex(State(borrowed: BorrowedBytes(loan), onEnd: onEnd))
    }

    // MARK: The owner's side

    /// Puts an event in; does not block.
    /// - Returns: `false` if the stream is over.
    @discardableResult
    func send(_ event: ServerSentEvent) -> Bool {
        let (isOpen, wake, onEnd) = state.withLock {
            state -> (Bool, (@Sendable () -> Void)?, (@Sendable () -> Void)?) in
            guard state.ending == nil, !state.isFinished else { return (false, nil, nil) }
            event.write(into: &state.waiting)
            var ended: (@Sendable () -> Void)?
            if state.waiting.readableBytes > limit || !state.borrowed.resize(to: state.waiting.readableBytes) {
                ended = Self.end(&state, .tooSlow)
            }
            return (ended == nil, Self.takeWake(&state), ended)
        }
        wake?()
        onEnd?()
        return isOpen
    }

    /// Ends the stream after what was sent. Safe to call twice.
    func finish() {
        let wake = state.withLock { state in
            state.isFinished = true
            return Self.takeWake(&state)
        }
        wake?()
    }

    // MARK: The connection's side

    /// Calls `wake`, from any thread, when there is something to do after `next` said `wait`.
    func attach(wake: @escaping @Sendable () -> Void) { state.withLock { $0.wake = wake } }

    /// Takes up to `limit` bytes, or learns what else is to be done.
    func next(limit: Int) -> Next {
        let (next, onEnd) = state.withLock { state -> (Next, (@Sendable () -> Void)?) in
            if state.ending != nil { return (.cut, nil) }
            if let bytes = state.waiting.readSlice(length: min(limit, state.waiting.readableBytes)),
                bytes.readableBytes > 0
            {
                state.waiting.discardReadBytes()
                _ = state.borrowed.resize(to: state.waiting.readableBytes)
                return (.write(bytes), nil)
            }
            guard state.isFinished else {
                state.isWakeWanted = true
                return (.wait, nil)
            }
            return (.end, Self.end(&state, .finished))
        }
        onEnd?()
        return next
    }

    /// The connection, or the stream on it, is gone, or nothing moves on it. Safe to call at any time.
    func connectionClosed(_ ending: Ending = .clientLeft) {
        let onEnd = state.withLock { Self.end(&$0, ending) }
        onEnd?()
    }

    private static func end(_ state: inout State, _ ending: Ending) -> (@Sendable () -> Void)? {
        guard state.ending == nil else { return nil }
        state.ending = ending
        state.waiting = ByteBuffer()
        _ = state.borrowed.resize(to: 0)
        guard let onEnd = state.onEnd else { return nil }
        state.onEnd = nil
        return { onEnd(ending) }
    }

    private static func takeWake(_ state: inout State) -> (@Sendable () -> Void)? {
        guard state.isWakeWanted else { return nil }
        state.isWakeWanted = false
        return state.wake
    }
}

extension OutgoingResponse {
    /// A response that goes on until its stream ends.
    init(events: EventStream) {
        self.init(
            status: .ok,
            headerFields: [
                .contentType: "text/event-stream", .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
                // Proxies that collect a response before they pass it on are asked not to.
                .xAccelBuffering: "no",
            ])
        self.events = events
    }
}

extension IncomingRequest {
    /// The last event a reconnecting client has seen: the header a browser sends by itself, or `lastEventId` in the query,
    /// for a client's first connection.
    var lastEventID: String? { head.headerFields[.lastEventID] ?? target?["lastEventId"] }
}

extension HTTPField.Name {
    static let lastEventID = HTTPField.Name("Last-Event-ID")!  // '!' okay: a token.
    static let xAccelBuffering = HTTPField.Name("X-Accel-Buffering")!  // '!' okay: a token.
}
