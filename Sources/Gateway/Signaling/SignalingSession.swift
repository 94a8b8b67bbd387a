import Logging
import NIOCore
import Rooms
import Synchronization

/// One client's connection to its room: reads requests one after the other, has the room answer each, and carries what
/// the room sends.
final class SignalingSession: PeerConnectionSink {
    private typealias Completion = @Sendable (ServerRequestOutcome) -> Void

    private struct State {
        var pending: PendingRequests<Completion>
        var isTimerArmed = false
        /// Messages made while a request is being carried out; they follow its response.
        var held: [String]?
        var isClosed = false
    }

    private let connection: WebSocketConnection
    private let dialect: any SignalingDialect
    private let counters: GatewayCounters
    private let logger: Logger
    private let state: Mutex<State>
    private let rate: RateLimit

    init(
        connection: WebSocketConnection, dialect: any SignalingDialect, limits: GatewayLimits,
        counters: GatewayCounters, logger: Logger
    ) {
        self.connection = connection
        self.dialect = dialect
        self.counters = counters
        rate = RateLimit(perSecond: limits.messagesPerSecond)
        self.logger = logger
        state = Mutex(
            State(
                pending: PendingRequests(
                    timeout: TimeAmount(limits.responseTimeout), limit: limits.pendingRequests,
                    firstID: .random(in: 0...0x7FFF_FFFF))))
    }

    // MARK: The client's side

    /// Serves the client until its connection ends. Call it once.
    func run(in room: Room, as peer: PeerSession) async {
        var bucket = TokenBucket(rate: rate, now: .now())
        for await text in connection.messages {
            switch dialect.decode(text) {
            case .request(let id, _, let method) where bucket.take(rate, now: .now()) != nil:
                counters.limited(.messageRate)
                let error = RoomError.tooFast(rate)
                counters.requested(method: method, outcome: error.code.name)
                respond(dialect.encode(.failure(error), to: id))
            case .request(let id, let request, let method):
                let result = await perform(request, in: room, as: peer)
                if case .failure(let error) = result {
                    logger.debug("request refused", metadata: ["method": "\(method)", "error": "\(error)"])
                }
                counters.requested(method: method, outcome: result.outcome)
                respond(dialect.encode(result, to: id))
            case .badRequest(let id, let error, let reason):
                counters.messageRejected(reason)
                counters.requested(method: reason == .unknownMethod ? "unknown" : "invalid", outcome: error.code.name)
                respond(dialect.encode(.failure(error), to: id))
            case .answer(let id, let isAccepted): answered(id, isAccepted: isAccepted)
            case .ignored(let reason): counters.messageRejected(reason)
            }
        }
    }

    /// The connection is gone, or never came to a room.
    func ended() {
        let waiters = state.withLock { state in
            state.isClosed = true
            return state.pending.removeAll()
        }
        for waiter in waiters { waiter(.disconnected) }
    }

    private func perform(
        _ request: SignalingRequest, in room: Room, as peer: PeerSession
    ) async -> Result<SignalingResponse, RoomError> {
        // What the room sends meanwhile follows the response: `newConsumer` before `join`'s response would name a peer
        // the client does not know yet. Statistics wait for media threads and cause no such messages.
        if !request.isStatistics { state.withLock { $0.held = [] } }
        do throws(RoomError) {
            return .success(try await room.request(request, from: peer))
        } catch {
            return .failure(error)
        }
    }

    private func answered(_ id: UInt32, isAccepted: Bool) {
        guard let waiter = state.withLock({ $0.pending.answerReceived(id) }) else {
            return counters.messageRejected(.unexpectedResponse)
        }
        waiter(isAccepted ? .accepted : .rejected)
    }

    // MARK: Order

    // Everything is sent under the lock, so that the order of the queue is the order on the wire.

    private func respond(_ text: String) {
        state.withLock { state in
            connection.send(text)
            releaseHeld(&state)
        }
    }

    private func releaseHeld(_ state: inout State) {
        for text in state.held ?? [] { connection.send(text) }
        state.held = nil
    }

    private func send(_ text: String, _ state: inout State) {
        if state.held == nil { connection.send(text) } else { state.held?.append(text) }
    }

    // MARK: The room's side

    func notify(_ notification: ServerNotification) {
        let text = dialect.encode(notification)
        state.withLock { send(text, &$0) }
    }

    func request(_ request: ServerRequest, completion: @escaping @Sendable (ServerRequestOutcome) -> Void) {
        let refusal: ServerRequestOutcome? = state.withLock { state in
            guard !state.isClosed else { return .disconnected }
            guard let id = state.pending.add(completion, now: .now()) else { return .rejected }
            send(dialect.encode(request, id: id), &state)
            armTimer(&state)
            return nil
        }
        if let refusal { completion(refusal) }
    }

    func close(_ reason: PeerCloseReason) {
        state.withLock { state in
            releaseHeld(&state)
            connection.close(reason.closeCode, reason: reason.closeReason)
        }
    }

    // MARK: Patience

    private func armTimer(_ state: inout State) {
        guard !state.isTimerArmed, let deadline = state.pending.nextDeadline else { return }
        state.isTimerArmed = true
        connection.eventLoop.scheduleTask(deadline: deadline) { [weak self] in self?.deadlinePassed() }
    }

    private func deadlinePassed() {
        let expired = state.withLock { state in
            state.isTimerArmed = false
            let expired = state.pending.expire(now: .now())
            armTimer(&state)
            return expired
        }
        for waiter in expired {
            counters.outgoingRequestTimedOut()
            waiter(.rejected)
        }
    }
}

extension SignalingRequest {
    /// Whether it only waits for numbers of the media threads.
    fileprivate var isStatistics: Bool {
        switch self {
        case .getTransportStats, .getProducerStats, .getConsumerStats, .getDataProducerStats, .getDataConsumerStats:
            true
        default: false
        }
    }
}

extension Result<SignalingResponse, RoomError> {
    fileprivate var outcome: String {
        switch self {
        case .success: "ok"
        case .failure(let error): error.code.name
        }
    }
}

extension PeerCloseReason {
    /// 4000 tells a protoo client not to come back; after a stop of the server it may.
    var closeCode: WebSocketCloseCode {
        switch self {
        case .disconnected, .left: .normal
        case .replaced, .iceDisconnected, .dtlsFailed, .dtlsClosed, .kicked, .roomClosed: .closedByServer
        case .shutdown: .goingAway
        }
    }

    var closeReason: String {
        switch self {
        case .disconnected, .left: ""
        case .replaced, .iceDisconnected, .dtlsFailed, .dtlsClosed, .kicked, .roomClosed:
            "closed by protoo-server: \(rawValue)"
        case .shutdown: "the server is stopping"
        }
    }
}
