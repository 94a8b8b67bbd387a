import Logging
import NIOCore
import RoundhouseRooms
import Synchronization

/// One client's session with its room, over one connection or, if the client can come back, over several: carries out
/// its requests one after the other, and carries what the room sends.
final class SignalingSession: PeerChannel {
    private typealias Completion = @Sendable (ServerRequestOutcome) -> Void

    private struct Encoder: OutboxEncoder {
        var dialect: any SignalingDialect

        func isNumbered(_ signal: OutgoingSignal) -> Bool { true }
        func encode(_ signal: OutgoingSignal, number: UInt64?) -> String { dialect.encode(signal, number: number) }
    }

    private struct State {
        var outbox: ReliableOutbox<Encoder>
        var pending: PendingRequests<Completion>

        var dialect: any SignalingDialect {
            get { outbox.encoder.dialect }
            set { outbox.encoder.dialect = newValue }
        }
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
    let membership: PeerMembership
    private let lease: HoldingLease
    private let onEnded: @Sendable (SignalingSession) -> Void
    private let state: Mutex<State>

    /// - Parameters:
    ///   - token: for a client that wants to be able to come back.
    ///   - onEnded: called once, from any thread, when the session is over.
    init(
        room roomID: RoomID, peer peerID: PeerID, dialect: any SignalingDialect, token: ResumptionToken?,
        limits: GatewayLimits, eventLoop: any EventLoop, counters: GatewayCounters, logger: Logger,
        lane: ReadingLane, lease: HoldingLease, loan: MemoryLoan,
        servers: ICEServers? = nil, onEnded: @escaping @Sendable (SignalingSession) -> Void
    ) {
        self.roomID = roomID
        self.peerID = peerID
        self.token = token
        self.eventLoop = eventLoop
        self.counters = counters
        self.logger = logger
        self.lane = lane
        self.lease = lease
        intake = SignalingIntake(limits: limits, counters: counters)
        self.onEnded = onEnded
        membership = PeerMembership(servers: servers)
        semaphore = AsyncSemaphore(limit: limits.waitingRequests)
        // A connection that is dead without anybody knowing must not cost the client what it is offered meanwhile.
        let timeout = token == nil ? limits.responseTimeout : limits.responseTimeout + limits.silenceTimeout
        state = Mutex(
            State(
                outbox: ReliableOutbox(
                    Encoder(dialect: dialect), isResumable: token != nil, limits: limits, loan: loan,
                    window: limits.eventsWindow, eventLoop: eventLoop),
                pending: PendingRequests(
                    timeout: TimeAmount(timeout), limit: limits.pendingRequests,
                    firstID: .random(in: 0...0x7FFF_FFFF))))
    }

    /// The peer is in its room.
    func entered(_ member: RoomMember) async {
        await membership.entered(member)
        // Its client has only so long to open a channel.
        state.withLock { schedule(&$0) }
    }

    /// Whether the client is away, and may come back.
    var isAway: Bool { !membership.isOver && state.withLock { $0.outbox.isAway } }

    // MARK: Channels

    /// The client has come by this channel, or come back by it.
    /// - Returns: the channel's number.
    func attach(
        _ channel: any SignalingChannel, acknowledged: UInt64, window: Duration
    ) throws(SignalingLink.Refusal) -> UInt64 {
        let attached = try state.withLock { state throws(SignalingLink.Refusal) in
            guard !membership.isOver else { throw SignalingLink.Refusal.ended }
            let isFirst = state.outbox.isUnused && membership.member == nil
            let dialect = state.dialect
            let attached = try state.outbox.attach(channel, acknowledged: acknowledged) { attachment in
                guard let token else { return [] }
                let signal: OutgoingSignal =
                    isFirst
                    ? .resumable(token, window: window)
                    : .resumed(received: attachment.received, lost: attachment.lost)
                return [dialect.encode(signal, number: nil)]
            }
            // Nobody was there to answer.
            state.pending.restart(now: eventLoop.now)
            schedule(&state)
            return attached
        }
        attached.former?.superseded()
        if attached.isOver { end() }
        return attached.number
    }

    /// A channel has ended, and not by the client's leaving.
    func channelLost(_ channel: UInt64, window: Duration) {
        guard token != nil else { return end() }
        let isAway = state.withLock { state in
            guard state.outbox.channelLost(channel, window: window) else { return false }
            schedule(&state)
            return true
        }
        guard isAway else { return }
        counters.resumed(.lost)
        logger.info("signaling connection lost")
    }

    /// Whether this channel is the one in use.
    func isCurrent(_ channel: UInt64) -> Bool { state.withLock { $0.outbox.isCurrent(channel) } }

    /// The session is over: the client has left, or been away for too long, or the room has closed its peer.
    func end() {
        guard membership.end() else { return }
        let waiters = state.withLock { state -> [Completion] in
            state.outbox.end()
            return state.pending.removeAll()
        }
        for waiter in waiters { waiter(.disconnected) }
        lease.release()
        onEnded(self)
        Task { await leaveRoom() }
    }

    /// The peer of a session that has ended leaves its room.
    func leaveRoom() async {
        if await membership.leave() { logger.info("peer disconnected") }
    }

    /// The client leaves, and its channel ends.
    func leave() {
        state.withLock { $0.outbox.channel?.close(.left) }
        end()
    }

    // MARK: The client's side

    /// Carries a WebSocket's messages until it ends.
    func carry(_ connection: WebSocketConnection, channel: UInt64) async {
        for await message in connection.messages {
            let text = message.text
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
            state.withLock { _ = $0.outbox.emit(.response(.failure(.tooFast(intake.messageRate)), to: id)) }
        case .request(let id, let meaning, let method):
            intake.answered(bytes: await requestReceived(meaning, method, id), to: text.utf8.count)
        case .badRequest(let id, let error, let reason):
            counters.messageRejected(reason)
            counters.requested(method: reason == .unknownMethod ? "unknown" : "invalid", outcome: error.code.name)
            respond(.failure(error), to: id)
        case .notification(let request, let method):
            if !charge.isWithinRate { await intake.holdBack() }
            let result = await dispatch(request, method)
            state.withLock { $0.outbox.release() }
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
        state.withLock {
            $0.outbox.messageReceived(on: channel, number: received.number, acknowledged: received.acknowledged)
        }
    }

    /// - Returns: the answer's bytes.
    private func requestReceived(_ meaning: RequestMeaning, _ method: String, _ id: SignalID) async -> Int {
        if let reply = state.withLock({ $0.outbox.reply(to: id) }) { return respond(reply.result, to: id) }
        let begun = NIODeadline.now()
        let result = await dispatch(meaning, method)
        counters.signalingTimes.observe(Double((NIODeadline.now() - begun).nanoseconds) / 1e9)
        return respond(result, to: id)
    }

    private func dispatch(_ meaning: RequestMeaning, _ method: String) async -> Result<JSONValue, RoomError> {
        switch meaning {
        case .room(let request): return await dispatch(request, method)
        case .roomIn(let dialect, let request):
            state.withLock { $0.dialect = dialect }
            return await dispatch(request, method)
        case .known(let data): return .success(data)
        case .knownAnd(let data, let dialect):
            state.withLock { $0.dialect = dialect }
            return .success(data)
        }
    }

    private func dispatch(_ request: SignalingRequest, _ method: String) async -> Result<JSONValue, RoomError> {
        guard let member = membership.member else {
            return .failure(RoomError(.peerClosed, "the peer is not in its room: connect again"))
        }
        // What the room sends meanwhile follows the response: `newConsumer` before `join`'s response would name a peer
        // the client does not know yet. Statistics wait for media threads and cause no such messages.
        if request.reachesEverybody { await intake.holdBackChange() }
        if !request.isStatistics { state.withLock { $0.outbox.hold() } }
        do throws(RoomError) {
            let response = try await member.room.request(request, from: member.peer)
            counters.requested(method: method, outcome: "ok")
            let data = state.withLock { $0.dialect }.data(of: response)
            guard case .webRtcTransport = response else { return .success(data) }
            return .success(data.merging(membership.iceServers))
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
            state.withLock { $0.outbox.extend(by: window) }
            if let id, let reply = state.withLock({ $0.outbox.reply(to: id) }) { return reply.result }
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
            let result = await dispatch(meaning, method)
            state.withLock { state in
                if let id {
                    let bytes = (try? result.get())?.serialized.count ?? 0
                    state.outbox.replied(result, to: id, bytes: bytes)
                }
                state.outbox.release()
            }
            return result
        }
        return result ?? .failure(RoomError(.overloaded, "too many requests wait for their turn: send fewer at a time"))
    }

    /// The answer to a request of the server.
    /// - Returns: whether anybody waited for it.
    func post(answer id: UInt32, isAccepted: Bool, window: Duration) async -> Bool {
        state.withLock { $0.outbox.extend(by: window) }
        return answered(id, isAccepted: isAccepted)
    }

    /// - Returns: the answer's bytes.
    @discardableResult
    private func respond(_ result: Result<JSONValue, RoomError>, to id: SignalID) -> Int {
        state.withLock { state in
            let bytes = state.outbox.emit(.response(result, to: id))
            state.outbox.replied(result, to: id, bytes: bytes)
            state.outbox.release()
            return bytes
        }
    }

    // MARK: The room's side

    var isUnheard: Bool { state.withLock { $0.outbox.isUnheard } }

    func notify(_ notification: ServerNotification) {
        state.withLock { state in
            if state.dialect.knows(notification) { state.outbox.send(.notification(notification)) }
        }
    }

    func request(_ request: ServerRequest, completion: @escaping @Sendable (ServerRequestOutcome) -> Void) {
        let refusal: ServerRequestOutcome? = state.withLock { state in
            guard !state.outbox.isEnded else { return .disconnected }
            guard let id = state.pending.add(completion, now: eventLoop.now) else { return .rejected }
            state.outbox.send(.request(request, id: id))
            schedule(&state)
            return nil
        }
        if let refusal { completion(refusal) }
    }

    func close(_ reason: PeerCloseReason) {
        if state.withLock({ $0.outbox.close(reason) }) { end() }
    }

    // MARK: Time

    private func schedule(_ state: inout State) {
        // A client that is away cannot answer.
        state.outbox.schedule(state.pending.nextDeadline) { [weak self] in self?.deadlinePassed() }
    }

    private func deadlinePassed() {
        let (expired, isOver) = state.withLock { state -> ([Completion], Bool) in
            if state.outbox.timerFired() { return ([], true) }
            let expired = state.outbox.isAttached ? state.pending.expire(now: eventLoop.now) : []
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
    /// Whether everybody in the room is notified of it, so that one client's request causes many messages.
    var reachesEverybody: Bool {
        switch self {
        case .produce, .closeProducer, .pauseProducer, .resumeProducer, .changeDisplayName, .produceData,
            .closeDataProducer, .sendDataMessage:
            true
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
