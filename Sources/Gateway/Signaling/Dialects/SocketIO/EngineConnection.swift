import NIOCore
import RoundhouseMedia
import Synchronization

/// One client's Engine.IO session, whatever carries it: polls and posts, a WebSocket, or both during an upgrade.
///
/// Feeds the session's machine and carries out its actions, under one lock, so that their order is the order on the wire.
final class EngineConnection: Sendable {
    private struct State {
        var session: EngineSession
        var waitingPoll: CheckedContinuation<[EnginePacket]?, Never>?
        var waitingNumber: UInt64?
        /// The last poll that was answered, and how.
        var answered: (number: UInt64, packets: [EnginePacket])?
        /// What waits for a poll, and what the last one got.
        var outgoing: BorrowedBytes
        /// The last post that was taken.
        var posted: UInt64?
        var sockets: [Int: WebSocketConnection] = [:]
        var lastSocket = 0
        var timer = DeadlineTimer()
        var closeReason: EngineSession.CloseReason?
        /// Bytes of messages that wait to be carried out.
        var waitingBytes = 0
        var waitingForCapacity: [CheckedContinuation<Void, Never>] = []
        /// Its page or program has ended.
        var isGoingAway = false
    }

    /// The session's name, as the client gives it with every request: who knows it speaks for the client.
    let name: Secret
    /// The access token that came with the request that opened it.
    let token: Secret?
    /// Where that came from.
    let origin: ClientOrigin
    private let lease: HoldingLease
    /// The client's messages in order; ends with the session. One consumer.
    let messages: AsyncStream<BorrowedText>
    private let incoming: AsyncStream<BorrowedText>.Continuation
    private let loan: MemoryLoan
    /// What the client may send by this connection, before anything of it is read.
    let intake: SignalingIntake
    /// A client that polls has one post on its way.
    private let posting = AsyncSemaphore(limit: 4)
    private let state: Mutex<State>
    private let eventLoop: any EventLoop
    private let ended: @Sendable (EngineConnection) -> Void

    /// Bytes of messages that may wait while one is carried out; then no more is taken from the client.
    static let waitingBytesLimit = 262_144

    /// - Parameters:
    ///   - loan: for what waits in both directions.
    ///   - socket: the WebSocket it begins on; `nil` for one that begins by polling.
    ///   - ended: called once, when the name can be forgotten.
    init(
        name: Secret, token: Secret? = nil, from origin: ClientOrigin, lease: HoldingLease, loan: MemoryLoan,
        settings: EngineSession.Settings, intake: SignalingIntake, socket: WebSocketConnection?,
        eventLoop: any EventLoop,
        ended: @escaping @Sendable (EngineConnection) -> Void
    ) {
        self.name = name
        self.token = token
        self.origin = origin
        self.lease = lease
        self.loan = loan
        self.eventLoop = eventLoop
        self.ended = ended
        self.intake = intake
        (messages, incoming) = AsyncStream.makeStream()
        let (session, actions) = EngineSession.open(
            name.revealed, settings, socket: socket == nil ? nil : 0, now: .now())
        var initial = State(session: session, outgoing: BorrowedBytes(loan))
        if let socket { initial.sockets[0] = socket }
        state = Mutex(initial)
        state.withLock { perform(actions, &$0) }
    }

    // MARK: The client's side

    /// A GET: returns when there is something for the client.
    /// - Parameter number: the client's, if it counts its polls: the same again gets the same again.
    /// - Returns: `nil` if the session takes no poll.
    func poll(_ number: UInt64? = nil) async -> [EnginePacket]? {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                if let answered = state.answered, answered.number == number {
                    return continuation.resume(returning: answered.packets)
                }
                let (outcome, actions) = state.session.pollReceived()
                perform(actions, &state)
                switch outcome {
                case .answer(let packets):
                    state.answered = number.map { ($0, packets) }
                    borrow(&state)
                    continuation.resume(returning: packets)
                case .refuse: continuation.resume(returning: nil)
                case .wait:
                    state.waitingPoll = continuation
                    state.waitingNumber = number
                }
            }
        }
    }

    /// A POST; returns when there is room for what it brings.
    /// - Parameter number: the client's, if it counts its posts: the same again is taken once.
    /// - Returns: whether it was understood; `nil` if others wait already.
    func post(_ body: [UInt8], _ number: UInt64? = nil) async -> Bool? {
        await posting.run {
            await intake.admitBytes(body.count)
            await waitForCapacity()
            return taken(body, number)
        }
    }

    private func taken(_ body: [UInt8], _ number: UInt64?) -> Bool {
        state.withLock { state in
            if let number {
                guard state.posted != number else { return true }
                state.posted = number
            }
            let (isAccepted, actions) = state.session.payloadReceived(body, now: .now())
            perform(actions, &state)
            return isAccepted
        }
    }

    /// Carries a WebSocket's messages until it ends. With the session's first WebSocket, call it once with `isFirst`.
    func serve(_ socket: WebSocketConnection, isFirst: Bool) async {
        let number = state.withLock { state in
            guard !isFirst else { return 0 }
            state.lastSocket += 1
            state.sockets[state.lastSocket] = socket
            perform(state.session.socketOpened(state.lastSocket, now: .now()), &state)
            return state.lastSocket
        }
        for await message in socket.messages {
            let text = message.text
            if socket.isClosed, intake.isTooFast { break }
            await intake.admitBytes(text.utf8.count)
            await waitForCapacity()
            state.withLock { perform($0.session.frameReceived(text, on: number, now: .now()), &$0) }
        }
        state.withLock { state in
            // Browsers say so when a page ends, and programs if they do (RFC 6455 §7.4.1). A client that gives up a
            // connection says nothing, or that it will be back.
            let ending = socket.ending
            if ending == .closedByClient(.goingAway) || ending == .closedByClient(.normal) { state.isGoingAway = true }
            perform(state.session.socketClosed(number), &state)
            state.sockets[number] = nil
        }
        await socket.waitUntilClosed()
    }

    var isClosed: Bool { state.withLock { $0.closeReason != nil } }

    /// A message was carried out.
    func messageHandled(_ message: String) {
        let waiters = state.withLock { state in
            state.waitingBytes -= Self.cost(message)
            return takeWaiters(&state)
        }
        for waiter in waiters { waiter.resume() }
    }

    private static func cost(_ message: String) -> Int { BorrowedText.cost(of: message) }

    /// Returns when few enough of the client's messages wait, or the session is over.
    private func waitForCapacity() async {
        await withCheckedContinuation { continuation in
            let hasCapacity = state.withLock { state in
                guard state.waitingBytes > Self.waitingBytesLimit, state.closeReason == nil else { return true }
                state.waitingForCapacity.append(continuation)
                return false
            }
            if hasCapacity { continuation.resume() }
        }
    }

    private func takeWaiters(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
        guard state.waitingBytes <= Self.waitingBytesLimit || state.closeReason != nil else { return [] }
        defer { state.waitingForCapacity = [] }
        return state.waitingForCapacity
    }

    /// Whether a client that is gone may be back by another session: it broke, rather than that anybody ended it.
    var isBroken: Bool {
        state.withLock { state in
            switch state.closeReason {
            // A client that misses the server's pings ends its session by name, and comes back.
            case .clientClosed, .transportClosed, .overlappingPolls, .pingTimeout: !state.isGoingAway
            case nil, .serverClosed, .protocolViolation, .messageTooLong, .overflow: false
            }
        }
    }

    // MARK: The server's side

    func send(_ message: String) { state.withLock { perform($0.session.send(message), &$0) } }
    func close() { state.withLock { perform($0.session.close(now: .now()), &$0) } }

    // MARK: Actions

    private func perform(_ actions: [EngineSession.Action], _ state: inout State) {
        for action in actions {
            switch action {
            case .answerPoll(let packets):
                state.answered = state.waitingNumber.map { ($0, packets) }
                state.waitingPoll?.resume(returning: packets)
                state.waitingPoll = nil
            case .send(let packet, let socket): state.sockets[socket]?.send(packet.text)
            case .closeSocket(let socket): state.sockets.removeValue(forKey: socket)?.close(.normal)
            case .message(let text):
                guard let message = BorrowedText(text, from: loan) else {
                    return perform(state.session.outOfMemory(), &state)
                }
                state.waitingBytes += Self.cost(text)
                incoming.yield(message)
            case .closed(let reason):
                state.closeReason = reason
                incoming.finish()
                for waiter in takeWaiters(&state) { waiter.resume() }
            case .ended:
                lease.release()
                ended(self)
            }
        }
        schedule(&state)
        borrow(&state)
    }

    /// Borrows for what waits for the client; the session ends if its address has too much.
    private func borrow(_ state: inout State) {
        let answered = state.answered?.packets.reduce(0) { $0 + $1.count } ?? 0
        guard !state.outgoing.resize(to: state.session.outgoingBytes + answered) else { return }
        state.answered = nil
        perform(state.session.outOfMemory(), &state)
    }

    private func schedule(_ state: inout State) {
        guard let deadline = state.session.nextDeadline else { return state.timer.cancel() }
        state.timer.schedule(deadline, on: eventLoop) { [weak self] in self?.deadlinePassed() }
    }

    private func deadlinePassed() {
        state.withLock { state in
            state.timer.fired()
            perform(state.session.timePassed(now: .now()), &state)
        }
    }
}
