import Logging
import NIOCore
import Rooms
import Synchronization

/// One client's session with its room, over one connection or, where the client can come back, over several: carries out
/// its requests one after the other, and carries what the room sends.
final class SignalingSession: PeerConnectionSink {
    private typealias Completion = @Sendable (ServerRequestOutcome) -> Void

    /// Where the session is.
    struct Member: Sendable {
        let room: Room
        let peer: PeerSession
    }

    private struct State {
        var dialect: any SignalingDialect
        var pending: PendingRequests<Completion>
        var link: SignalingLink
        var channel: (any SignalingChannel)?
        var member: Member?
        /// Messages made while a request is being carried out; they follow its response.
        var held: [OutgoingSignal]?
        /// The room has closed the peer while the client was away: it is told when it comes back.
        var closeReason: PeerCloseReason?
        var isEnded = false
        var timer: Scheduled<Void>?
        var timerDeadline = NIODeadline.distantFuture
    }

    let roomID: RoomID
    let peerID: PeerID
    /// By which the client may come back; without it the session ends with its connection.
    let token: ResumptionToken?
    private let eventLoop: any EventLoop
    private let counters: GatewayCounters
    let logger: Logger
    private let semaphore: AsyncSemaphore
    private let lane: ReadingLane
    /// What the client may send, over all its channels.
    let intake: SignalingIntake
    private let onEnded: @Sendable (SignalingSession) -> Void
    private let state: Mutex<State>

    /// - Parameters:
    ///   - token: for a client that wants to be able to come back.
    ///   - onEnded: called once, from any thread, when the session is over.
    init(
        room roomID: RoomID, peer peerID: PeerID, dialect: any SignalingDialect, token: ResumptionToken?,
        limits: GatewayLimits, eventLoop: any EventLoop, counters: GatewayCounters, logger: Logger,
        lane: ReadingLane, onEnded: @escaping @Sendable (SignalingSession) -> Void
    ) {
        self.roomID = roomID
        self.peerID = peerID
        self.token = token
        self.eventLoop = eventLoop
        self.counters = counters
        self.logger = logger
        self.lane = lane
        intake = SignalingIntake(limits: limits, counters: counters)
        self.onEnded = onEnded
        semaphore = AsyncSemaphore(limit: limits.waitingRequests)
        var settings = SignalingLink.Settings()
        settings.retention = TimeAmount(limits.eventsWindow)
        settings.replayBytes = limits.replayBytes
        // A connection that is dead without anybody knowing must not cost the client what it is offered meanwhile.
        let patience = token == nil ? limits.responseTimeout : limits.responseTimeout + limits.silenceTimeout
        state = Mutex(
            State(
                dialect: dialect,
                pending: PendingRequests(
                    timeout: TimeAmount(patience), limit: limits.pendingRequests,
                    firstID: .random(in: 0...0x7FFF_FFFF)),
                link: SignalingLink(settings, until: .now() + TimeAmount(limits.eventsWindow))))
    }

    /// The peer is in its room.
    func entered(_ room: Room, as peer: PeerSession) {
        state.withLock { state in
            state.member = Member(room: room, peer: peer)
            // Without a channel, its client has only so long to take one.
            schedule(&state)
        }
    }

    var member: Member? { state.withLock { $0.member } }
    var isEnded: Bool { state.withLock { $0.isEnded } }
    /// Whether the client is away, and may come back.
    var isAway: Bool { state.withLock { !$0.isEnded && !$0.link.isAttached } }

    // MARK: Channels

    /// The client has come by this channel, or come back by it.
    /// - Returns: the channel's number.
    func attach(
        _ channel: any SignalingChannel, acknowledged: UInt64, window: Duration
    ) throws(SignalingLink.Refusal) -> UInt64 {
        let (number, former, isOver) = try state.withLock { state throws(SignalingLink.Refusal) in
            guard !state.isEnded else { throw SignalingLink.Refusal.ended }
            let isFirst = state.link.lastNumber == 0 && state.member == nil
            let attachment = try state.link.attach(acknowledged: acknowledged, now: .now())
            let former = state.channel
            state.channel = channel
            if let token {
                let signal: OutgoingSignal =
                    isFirst
                    ? .resumable(token, window: window)
                    : .resumed(received: attachment.received, lost: attachment.lost)
                channel.send(state.dialect.encode(signal, number: nil), number: nil)
            }
            for message in attachment.replay { channel.send(message.text, number: message.number) }
            // Nobody was there to answer.
            state.pending.restart(now: .now())
            schedule(&state)
            if let reason = state.closeReason { channel.close(reason) }
            return (attachment.channel, former, state.closeReason != nil)
        }
        former?.superseded()
        if isOver { end() }
        return number
    }

    /// A channel has ended, and not by the client's leaving.
    func channelLost(_ channel: UInt64, window: Duration) {
        guard token != nil else { return end() }
        let isAway = state.withLock { state in
            guard state.link.detach(channel: channel, until: .now() + TimeAmount(window)) else { return false }
            state.channel = nil
            schedule(&state)
            return true
        }
        guard isAway else { return }
        counters.resumed(.lost)
        logger.info("signaling connection lost")
    }

    /// Whether this channel is the one in use.
    func isCurrent(_ channel: UInt64) -> Bool { state.withLock { $0.link.phase == .attached(channel: channel) } }

    /// The session is over: the client has left, or been away for too long, or the room has closed its peer.
    func end() {
        let waiters: [Completion]? = state.withLock { state in
            guard !state.isEnded else { return nil }
            state.isEnded = true
            state.link.end()
            state.channel = nil
            state.held = nil
            state.timer?.cancel()
            state.timer = nil
            return state.pending.removeAll()
        }
        guard let waiters else { return }
        for waiter in waiters { waiter(.disconnected) }
        onEnded(self)
    }

    /// The client leaves; its channel is told to end.
    func leave() {
        state.withLock { $0.channel?.close(.left) }
        end()
    }

    // MARK: The client's side

    /// Carries a WebSocket's messages until it ends.
    func carry(_ connection: WebSocketConnection, channel: UInt64) async {
        for await text in connection.messages {
            if connection.isClosed, intake.isTooFast { return }
            // Before it is read: reading is what a message costs, whatever is in it.
            let charge = await intake.admit(bytes: text.utf8.count)
            let isFault = await semaphore.run { await self.messageReceived(text, charge, channel: channel) }
            if isFault == true, intake.faultReceived() {
                connection.close(.policyViolation, reason: "too many messages that are none of this protocol")
                return
            }
        }
    }

    /// - Returns: whether it was none.
    private func messageReceived(_ text: String, _ charge: SignalingAllowance.Charge, channel: UInt64) async -> Bool {
        let dialect = state.withLock { $0.dialect }
        let received = await lane.read(bytes: text.utf8.count) { dialect.read(text) }
        guard accept(received, channel: channel) else {
            counters.messageRejected(.repeated)
            return false
        }
        switch received.signal {
        case .request(let id, _, let method) where !charge.isWithinRate:
            counters.limited(.messageRate)
            counters.requested(method: method, outcome: RoomError.Code.rateLimited.name)
            state.withLock { _ = emit(.response(.failure(.tooFast(intake.messageRate)), to: id), &$0) }
        case .request(let id, let meaning, let method): await answer(meaning, method, to: id)
        case .badRequest(let id, let error, let reason):
            counters.messageRejected(reason)
            counters.requested(method: reason == .unknownMethod ? "unknown" : "invalid", outcome: error.code.name)
            respond(.failure(error), to: id)
        case .notification(let request, let method):
            if !charge.isWithinRate { await intake.holdBack() }
            let result = await perform(request, method)
            state.withLock { releaseHeld(&$0) }
            if case .failure(let error) = result {
                logger.debug("notification refused", metadata: ["method": "\(method)", "error": "\(error)"])
            }
        case .answer(let id, let isAccepted):
            if answered(id, isAccepted: isAccepted) {
                intake.giveBack(charge)
            } else {
                counters.messageRejected(.unexpectedResponse)
                // One that comes too late is none of the client's fault.
                return !state.withLock { $0.pending.wasMade(id) }
            }
        case .ignored(let reason):
            counters.messageRejected(reason)
            return reason == .notJSON || reason == .notAMessage
        }
        return false
    }

    private func accept(_ received: ReceivedSignal, channel: UInt64?) -> Bool {
        state.withLock { state in
            // Who does not count on coming back may use these names for anything.
            guard token != nil else { return state.link.messageReceived(channel: channel, number: nil) }
            if let number = received.acknowledged { state.link.acknowledged(number) }
            return state.link.messageReceived(channel: channel, number: received.number)
        }
    }

    private func answer(_ meaning: RequestMeaning, _ method: String, to id: SignalID) async {
        if token != nil, let reply = state.withLock({ $0.link.reply(to: id) }) { return respond(reply.result, to: id) }
        respond(await carryOut(meaning, method), to: id)
    }

    private func carryOut(_ meaning: RequestMeaning, _ method: String) async -> Result<JSONValue, RoomError> {
        switch meaning {
        case .room(let request): return await perform(request, method)
        case .known(let data): return .success(data)
        case .knownAnd(let data, let dialect):
            state.withLock { $0.dialect = dialect }
            return .success(data)
        }
    }

    private func perform(_ request: SignalingRequest, _ method: String) async -> Result<JSONValue, RoomError> {
        guard let member else { return .failure(RoomError(.peerClosed, "the peer is not in its room: connect again")) }
        // What the room sends meanwhile follows the response: `newConsumer` before `join`'s response would name a peer
        // the client does not know yet. Statistics wait for media threads and cause no such messages.
        if request.isToldToEverybody { await intake.holdBackChange() }
        if !request.isStatistics { state.withLock { $0.held = $0.held ?? [] } }
        do throws(RoomError) {
            let response = try await member.room.request(request, from: member.peer)
            counters.requested(method: method, outcome: "ok")
            return .success(state.withLock { $0.dialect }.data(of: response))
        } catch {
            logger.debug("request refused", metadata: ["method": "\(method)", "error": "\(error)"])
            counters.requested(method: method, outcome: error.code.name)
            return .failure(error)
        }
    }

    /// - Returns: whether anybody waited for it.
    private func answered(_ id: UInt32, isAccepted: Bool) -> Bool {
        guard let waiter = state.withLock({ $0.pending.answerReceived(id) }) else { return false }
        waiter(isAccepted ? .accepted : .rejected)
        return true
    }

    // MARK: The client's side, request by request

    /// A request that came by itself and is answered by itself; the intake has let it in.
    /// - Parameters:
    ///   - id: the client's name for it: what comes again under it is answered again, not carried out.
    ///   - window: how long the client may be silent after it.
    func post(
        _ method: String, _ data: JSONValue, id: SignalID?, number: UInt64?, acknowledged: UInt64?, window: Duration
    ) async -> Result<JSONValue, RoomError> {
        let result = await semaphore.run { () async -> Result<JSONValue, RoomError> in
            state.withLock { $0.link.extend(until: .now() + TimeAmount(window)) }
            if let id, let reply = state.withLock({ $0.link.reply(to: id) }) { return reply.result }
            let received = ReceivedSignal(signal: .ignored(.repeated), number: number, acknowledged: acknowledged)
            guard accept(received, channel: nil) else {
                return .failure(RoomError(.invalidRequest, "seq: this message has come before"))
            }
            let meaning: RequestMeaning
            do throws(RoomError) {
                meaning = try state.withLock { $0.dialect }.request(method, data)
            } catch {
                counters.requested(
                    method: error.code == .unknownMethod ? "unknown" : "invalid", outcome: error.code.name)
                return .failure(error)
            }
            let result = await carryOut(meaning, method)
            state.withLock { state in
                if let id {
                    let bytes = (try? result.get())?.serialized.count ?? 0
                    state.link.replied(RecordedReply(result), to: id, bytes: bytes)
                }
                releaseHeld(&state)
            }
            return result
        }
        return result ?? .failure(RoomError(.overloaded, "too many requests wait for their turn: send fewer at a time"))
    }

    /// The answer to a request of the server.
    /// - Returns: whether anybody waited for it.
    func post(answer id: UInt32, isAccepted: Bool, window: Duration) async -> Bool {
        state.withLock { $0.link.extend(until: .now() + TimeAmount(window)) }
        return answered(id, isAccepted: isAccepted)
    }

    // MARK: Order

    // Everything is sent under the lock, so that the order of the numbers is the order on the wire.

    private func respond(_ result: Result<JSONValue, RoomError>, to id: SignalID) {
        state.withLock { state in
            let bytes = emit(.response(result, to: id), &state)
            if token != nil { state.link.replied(RecordedReply(result), to: id, bytes: bytes) }
            releaseHeld(&state)
        }
    }

    private func releaseHeld(_ state: inout State) {
        let held = state.held ?? []
        state.held = nil
        for signal in held { emit(signal, &state) }
    }

    private func send(_ signal: OutgoingSignal, _ state: inout State) {
        if state.held == nil { emit(signal, &state) } else { state.held?.append(signal) }
    }

    /// - Returns: the message's bytes.
    @discardableResult
    private func emit(_ signal: OutgoingSignal, _ state: inout State) -> Int {
        guard !state.isEnded else { return 0 }
        let number = token == nil ? nil : state.link.takeNumber()
        let text = state.dialect.encode(signal, number: number)
        if let number { state.link.sent(text, number: number, now: .now()) }
        state.channel?.send(text, number: number)
        return text.utf8.count
    }

    // MARK: The room's side

    func notify(_ notification: ServerNotification) {
        state.withLock { state in
            if state.dialect.knows(notification) { send(.notification(notification), &state) }
        }
    }

    func request(_ request: ServerRequest, completion: @escaping @Sendable (ServerRequestOutcome) -> Void) {
        let refusal: ServerRequestOutcome? = state.withLock { state in
            guard !state.isEnded else { return .disconnected }
            guard let id = state.pending.add(completion, now: .now()) else { return .rejected }
            send(.request(request, id: id), &state)
            schedule(&state)
            return nil
        }
        if let refusal { completion(refusal) }
    }

    func close(_ reason: PeerCloseReason) {
        let isOver = state.withLock { state in
            releaseHeld(&state)
            state.channel?.close(reason)
            // Whose place was taken, or whose server stops, has nothing to come back to.
            guard !state.link.isAttached, reason != .replaced, reason != .shutdown else { return true }
            state.closeReason = reason
            return false
        }
        if isOver { end() }
    }

    // MARK: Patience

    private func schedule(_ state: inout State) {
        guard !state.isEnded else { return }
        // A client that is away cannot answer.
        guard let deadline = state.link.isAttached ? state.pending.nextDeadline : state.link.deadline else { return }
        // A timer that fires early finds nothing to do and is set again.
        guard state.timer == nil || deadline < state.timerDeadline else { return }
        state.timer?.cancel()
        state.timerDeadline = deadline
        state.timer = eventLoop.scheduleTask(deadline: deadline) { [weak self] in self?.deadlinePassed() }
    }

    private func deadlinePassed() {
        let (expired, isOver) = state.withLock { state -> ([Completion], Bool) in
            state.timer = nil
            let now = NIODeadline.now()
            if state.link.timePassed(now: now) { return ([], true) }
            let expired = state.link.isAttached ? state.pending.expire(now: now) : []
            schedule(&state)
            return (expired, false)
        }
        for waiter in expired {
            counters.outgoingRequestTimedOut()
            waiter(.rejected)
        }
        guard isOver else { return }
        counters.resumed(.expired)
        logger.info("the client did not come back in time")
        end()
    }
}

extension SignalingRequest {
    /// Whether everybody in the room is told of it, so that one client's requests are many messages.
    var isToldToEverybody: Bool {
        switch self {
        case .produce, .closeProducer, .pauseProducer, .resumeProducer, .changeDisplayName: true
        default: false
        }
    }

    /// Whether it only waits for numbers of the media threads.
    fileprivate var isStatistics: Bool {
        switch self {
        case .getTransportStats, .getProducerStats, .getConsumerStats, .getDataProducerStats, .getDataConsumerStats:
            true
        default: false
        }
    }
}
