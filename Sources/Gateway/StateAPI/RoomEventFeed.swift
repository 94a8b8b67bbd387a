import HTTPTypes
import RoundhouseRooms
import Synchronization

/// The event streams of the state API: what happens in rooms, and what is decided for a peer.
final class RoomEventFeed: Sendable {
    private struct State {
        var streams: [ObjectIdentifier: EventStream] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())
    private let log: RoomEventLog
    private let limits: GatewayLimits

    init(log: RoomEventLog, limits: GatewayLimits) {
        self.log = log
        self.limits = limits
    }

    /// How many are open.
    var count: Int { state.withLock { $0.streams.count } }

    /// Answers with a stream: first `hello`, which says where it begins, then what the client has missed, then what happens.
    /// - Parameter loan: for what waits for the client.
    func open(room: RoomID?, after lastSeen: String?, loan: MemoryLoan) -> OutgoingResponse {
        let held = HeldSubscription()
        let stream = EventStream(limit: limits.outgoingBytes, loan: loan) { [weak self] ending in
            self?.ended(held, ending)
        }
        guard take(stream, held) else { return refusal }
        log.subscribe(after: lastSeen, room: room) { beginning in
            let subscription = beginning.subscription
            held.set { [log] in log.unsubscribe(subscription) }
            let position = beginning.position.description
            let hello = JSONValue.object(["position": .string(position), "gap": .bool(beginning.hasGap)])
            stream.send(ServerSentEvent(id: position, name: "hello", data: hello.text))
        } deliver: { event in
            stream.send(ServerSentEvent(id: event.id.description, name: event.kind.name, data: event.json.text))
        }
        return OutgoingResponse(events: stream)
    }

    /// Answers with a stream about one peer: `explanation` at first and after each change of what it is sent, and `sample` for
    /// each second of what is known of its networks. It ends with the peer.
    /// - Parameter loan: for what waits for the client.
    func open(explaining peer: PeerID, in room: Room, loan: MemoryLoan) -> OutgoingResponse {
        let held = HeldSubscription()
        let stream = EventStream(limit: limits.outgoingBytes, loan: loan) { [weak self] ending in
            self?.ended(held, ending)
        }
        guard take(stream, held) else { return refusal }
        let task = Task {
            var news = ExplanationNews()
            while !Task.isCancelled, let explanation = await room.explanation(of: peer, withHistory: true) {
                for event in news.events(of: explanation) where !stream.send(event) { return }
                guard (try? await Task.sleep(for: .milliseconds(500))) != nil else { return }
            }
            stream.finish()
        }
        held.set { task.cancel() }
        return OutgoingResponse(events: stream)
    }

    private func take(_ stream: EventStream, _ held: HeldSubscription) -> Bool {
        state.withLock { state in
            guard !state.isClosed, state.streams.count < limits.eventStreams else { return false }
            state.streams[ObjectIdentifier(held)] = stream
            return true
        }
    }

    private var refusal: OutgoingResponse {
        .failure(
            .serviceUnavailable, code: "limit-reached",
            "the server sends \(limits.eventStreams) event streams at a time: try again later")
    }

    /// Ends every stream and opens no more.
    func close() {
        let streams = state.withLock { state in
            state.isClosed = true
            return Array(state.streams.values)
        }
        for stream in streams { stream.finish() }
    }

    private func ended(_ held: HeldSubscription, _ ending: EventStream.Ending) {
        state.withLock { $0.streams[ObjectIdentifier(held)] = nil }
        // Where it was too slow, whoever sent found out, and stops by itself: the log holds its lock meanwhile.
        if ending != .tooSlow { held.end() }
    }
}

/// How a stream's source is stopped, once it has one.
private final class HeldSubscription: Sendable {
    private struct State {
        var isEnded = false
        var stop: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// - Parameter stop: called once, at once if the stream is over.
    func set(_ stop: @escaping @Sendable () -> Void) {
        let isEnded = state.withLock { state in
            state.stop = state.isEnded ? nil : stop
            return state.isEnded
        }
        if isEnded { stop() }
    }

    func end() {
        let stop = state.withLock { state in
            state.isEnded = true
            return state.stop.take()
        }
        stop?()
    }
}
