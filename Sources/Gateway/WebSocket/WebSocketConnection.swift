import NIOCore
import Synchronization

/// One client's WebSocket, as the rest of the gateway sees it: send text, close, read messages.
///
/// `send` and `close` may be called from any thread or actor, never block and keep their order. What waits for a slow
/// client is bounded: beyond the limit the client is cut off.
final class WebSocketConnection: Sendable {
    enum Outgoing {
        case text(String)
        case close(WebSocketCloseCode, String)
    }

    /// How a connection ended.
    enum Ending: Equatable {
        /// The client closed it with this code.
        case closedByClient(WebSocketCloseCode)
        /// We closed it: the client broke the protocol, or has left its room.
        case closedByServer
        /// It broke.
        case lost
    }

    private struct Outbox {
        var waiting: [Outgoing] = []
        /// Bytes handed to `send` and not yet taken by the kernel.
        var bytes = 0
        var isWakePending = false
        var isClosed = false
        var isOverflown = false
        /// The ping that the client has not answered.
        var pingedAt: NIODeadline?
        var ending: Ending?

        /// - Returns: how many bytes that were.
        mutating func dropWaiting() -> Int {
            let dropped = waiting.reduce(0) { $0 + WebSocketConnection.cost(of: $1) }
            waiting = []
            bytes -= dropped
            return dropped
        }
    }

    typealias Messages = NIOAsyncSequenceProducer<
        BorrowedText, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark, WebSocketReadGate
    >

    /// The client's messages in order; ends when the connection does. One consumer.
    let messages: Messages
    private let source: Messages.Source
    private let gate: WebSocketReadGate
    private let outbox = Mutex(Outbox())
    private let outgoingLimit: Int
    /// After so long a ping counts as left unanswered.
    private let answerTime: TimeAmount
    /// What is borrowed for messages that wait.
    private let (incoming, outgoing): (MemoryLoan, MemoryLoan)
    let eventLoop: any EventLoop
    private let closeFuture: EventLoopFuture<Void>
    private let wake: @Sendable () -> Void

    /// A message counts as this many bytes more than its text: frame, queue entry, buffer.
    static let overheadPerMessage = 64

    /// - Parameter wake: called on the event loop when the outbox has something to take.
    init(
        channel: any Channel, outgoingLimit: Int, answerTime: TimeAmount, incoming: MemoryLoan, outgoing: MemoryLoan,
        gate: WebSocketReadGate, wake: @escaping @Sendable () -> Void
    ) {
        eventLoop = channel.eventLoop
        closeFuture = channel.closeFuture
        self.outgoingLimit = outgoingLimit
        self.answerTime = answerTime
        (self.incoming, self.outgoing) = (incoming, outgoing)
        self.gate = gate
        self.wake = wake
        // A client whose requests wait is not read from: TCP then slows it down.
        let sequence = NIOAsyncSequenceProducer.makeSequence(
            elementType: BorrowedText.self,
            backPressureStrategy: NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark(
                lowWatermark: 2, highWatermark: 8),
            finishOnDeinit: true, delegate: gate)
        messages = sequence.sequence
        source = sequence.source
    }

    /// Returns when the socket is closed; the messages may have ended before, with the closing handshake.
    func waitUntilClosed() async { try? await closeFuture.get() }

    /// How it ended, once the messages have.
    var ending: Ending { outbox.withLock { $0.ending } ?? .lost }

    /// Whether it has ended: what waits in `messages` came before that.
    var isClosed: Bool { outbox.withLock { $0.isClosed } }

    func send(_ text: String) { enqueue(.text(text), bytes: text.utf8.count + Self.overheadPerMessage) }

    /// Begins the closing handshake after what was sent before. The reason is cut to 123 bytes (RFC 6455 §5.5).
    func close(_ code: WebSocketCloseCode, reason: String = "") {
        enqueue(.close(code, reason), bytes: Self.overheadPerMessage)
    }

    private func enqueue(_ item: Outgoing, bytes: Int) {
        let mustWake = outbox.withLock { outbox in
            guard !outbox.isClosed, !outbox.isOverflown else { return false }
            if outbox.bytes + bytes > outgoingLimit || !outgoing.take(bytes) {
                // What waits is dropped here, not when the loop gets to it: the memory is the reason for the limit.
                outbox.isOverflown = true
                outgoing.giveBack(outbox.dropWaiting())
            } else {
                outbox.waiting.append(item)
                outbox.bytes += bytes
            }
            defer { outbox.isWakePending = true }
            return !outbox.isWakePending
        }
        if mustWake { eventLoop.execute(wake) }
    }

    // MARK: The handler's side, on the event loop

    /// Whether there is room for more of the client's messages.
    var isReadable: Bool { gate.isOpen }

    /// Takes what waits, in order; `nil` when the client has let too much pile up.
    func takeOutgoing() -> [Outgoing]? {
        outbox.withLock { outbox in
            outbox.isWakePending = false
            guard !outbox.isOverflown else { return nil }
            defer { outbox.waiting = [] }
            return outbox.waiting
        }
    }

    static func cost(of item: Outgoing) -> Int {
        switch item {
        case .text(let text): text.utf8.count + overheadPerMessage
        case .close: overheadPerMessage
        }
    }

    /// Whether the client has left the latest ping unanswered for a while.
    var isUnheard: Bool {
        outbox.withLock { outbox in outbox.pingedAt.map { NIODeadline.now() - $0 >= answerTime } ?? false }
    }

    /// - Parameter instant: of the event loop's clock; `nil` once the client has answered.
    func setPinged(at instant: NIODeadline?) { outbox.withLock { $0.pingedAt = instant } }

    /// Counts what is written without waiting here.
    /// - Returns: `false` if the client has let too much pile up.
    func reserve(_ bytes: Int) -> Bool {
        outbox.withLock { outbox in
            guard outbox.bytes + bytes <= outgoingLimit, outgoing.take(bytes) else { return false }
            outbox.bytes += bytes
            return true
        }
    }

    func outgoingWritten(bytes: Int) {
        outbox.withLock { $0.bytes -= bytes }
        outgoing.giveBack(bytes)
    }

    /// - Returns: `false` if the client's address has no room for it.
    func messageReceived(_ text: String) -> Bool {
        guard let message = BorrowedText(text, from: incoming) else { return false }
        if case .stopProducing = source.yield(contentsOf: CollectionOfOne(message)) { gate.pause() }
        return true
    }

    func closed(_ ending: Ending) {
        outbox.withLock { outbox in
            outbox.isClosed = true
            outgoing.giveBack(outbox.dropWaiting())
            // The first to say so knows.
            if outbox.ending == nil { outbox.ending = ending }
        }
        source.finish()
    }
}
