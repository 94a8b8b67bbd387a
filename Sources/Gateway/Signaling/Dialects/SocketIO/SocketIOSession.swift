import Logging
import NIOCore
import RoundhouseRooms
import Synchronization

/// One client of the older Electron room server, over one connection or, if it asked for that, over several: carries out
/// its events one after the other, and carries what its room sends. It is in no room at first, and may go from one to
/// another.
final class SocketIOSession: PeerChannel {
    /// Events are numbered. Acknowledgements have no room for a number: the client says which it has not got.
    private struct Encoder: OutboxEncoder {
        func isNumbered(_ packet: SocketIOPacket) -> Bool { packet.kind == .event }
        func encode(_ packet: SocketIOPacket, number: UInt64?) -> String {
            (number.map(packet.numbered) ?? packet).text
        }
    }

    private struct State {
        var outbox: ReliableOutbox<Encoder>
        /// The room whose notifications arrive.
        var roomID = RoomID("")
        /// The peer gives way to a newer connection of this same session.
        var isRejoining = false
    }

    /// What clients know each other by.
    let id = SocketIOServer.randomName()
    /// By which the client may come back; without it the session ends with its connection.
    let token: ResumptionToken?
    let grants: AccessGrants
    let origin: ClientOrigin
    private let lease: HoldingLease?
    /// By what it has its peer's name.
    let claim: PeerClaim
    let rooms: RoomRegistry
    let access: AccessControl
    let counters: GatewayCounters
    /// What the client may ask for, over all its connections.
    let intake: SignalingIntake
    let logger: Logger
    let membership: PeerMembership
    private let window: Duration
    private let semaphore = AsyncSemaphore(limit: 8)
    private let onEnded: @Sendable (SocketIOSession) -> Void
    private let state: Mutex<State>

    /// - Parameters:
    ///   - token: for a client that wants to be able to come back.
    ///   - grants: what its access token gave it.
    ///   - onEnded: called once, from any thread, when the session is over.
    init(
        token: ResumptionToken?, grants: AccessGrants, origin: ClientOrigin, lease: HoldingLease?, claim: PeerClaim,
        rooms: RoomRegistry, access: AccessControl,
        eventLoop: any EventLoop, counters: GatewayCounters, logger: Logger,
        onEnded: @escaping @Sendable (SocketIOSession) -> Void
    ) {
        self.token = token
        self.grants = grants
        self.origin = origin
        self.lease = lease
        self.claim = claim
        self.rooms = rooms
        self.access = access
        self.counters = counters
        self.onEnded = onEnded
        membership = PeerMembership(servers: access.turn?.servers(reachedBy: origin.secureAuthority))
        let limits = access.limits
        window = limits.resumptionWindow
        intake = SignalingIntake(limits: limits, counters: counters)
        var logger = logger
        logger[metadataKey: "peer.id"] = "\(id)"
        if let address = origin.address { logger[metadataKey: "client.address"] = "\(address)" }
        self.logger = logger
        state = Mutex(
            State(
                outbox: ReliableOutbox(
                    Encoder(), isResumable: token != nil, limits: limits,
                    loan: access.accountant.memory(of: origin).loan(own: MemoryLoan.outgoingBytes),
                    window: window, eventLoop: eventLoop)))
    }

    // MARK: Connections

    /// The client has connected, or come back: it gets a greeting and what it missed.
    /// - Parameters:
    ///   - offset: the number of the last event that it has; 0 for none.
    ///   - waiting: the acknowledgements it still waits for.
    /// - Returns: the connection's number; `nil` if the session is over, or too much was missed.
    func attach(_ connection: EngineConnection, offset: UInt64 = 0, waiting: [UInt64] = []) async -> UInt64? {
        // Behind the event that is carried out: what it answers is missed, or counted as received.
        let number = await semaphore.run { () -> UInt64? in
            let attached = state.withLock { state in
                // If the event has not arrived either, the client sends it again.
                let answers = waiting.compactMap { id in
                    state.outbox.reply(to: SignalID(json: .count(id))).flatMap { Self.answer($0, to: id) }
                }
                return try? state.outbox.attach(connection, acknowledged: offset, acceptsLoss: false) {
                    greeting($0) + answers
                }
            }
            guard let attached else { return nil }
            attached.former?.superseded()
            if attached.isOver { end() }
            return attached.number
        }
        return number ?? nil
    }

    private func greeting(_ attachment: SignalingLink.Attachment) -> [String] {
        var greeting = ["sid": JSONValue.string(id)]
        if let token {
            greeting["pid"] = .string(token.text)
            greeting["received"] = .count(attachment.received)
        }
        let connect = SocketIOPacket(kind: .connect, data: .object(greeting)).text
        guard let token, attachment.channel == 1 else { return [connect] }
        // For clients that cannot see what came with the connection.
        let data = JSONValue.object(["token": .string(token.text), "seconds": .integer(window.components.seconds)])
        return [connect, SocketIOPacket.event("resumable", [data]).text]
    }

    private static func answer(_ reply: RecordedReply, to id: UInt64) -> String? {
        if case .success(.array(let values)) = reply.result { SocketIOPacket.ack(id, values).text } else { nil }
    }

    /// A connection has ended, and not by the client's leaving.
    func channelLost(_ channel: UInt64) {
        guard token != nil else { return leave(channel) }
        let isAway = state.withLock { state in
            guard state.outbox.channelLost(channel, window: window) else { return false }
            schedule(&state)
            return true
        }
        guard isAway else { return }
        counters.resumed(.lost)
        logger.info("signaling connection lost")
    }

    /// The client has left by this connection; nothing, if it has another one by now.
    func leave(_ channel: UInt64) {
        if state.withLock({ $0.outbox.isCurrent(channel) }) { end() }
    }

    private func schedule(_ state: inout State) {
        state.outbox.schedule { [weak self] in self?.deadlinePassed() }
    }

    private func deadlinePassed() {
        let isOver = state.withLock { state in
            defer { schedule(&state) }
            return state.outbox.timerFired()
        }
        guard isOver else { return }
        counters.resumed(.expired)
        logger.info("the client did not come back in time")
        end()
    }

    /// The session is over, and its peer leaves.
    func end() {
        guard membership.end() else { return }
        state.withLock { $0.outbox.end() }?.superseded()
        lease?.release()
        onEnded(self)
        Task { await membership.leave() }
    }

    // MARK: The client's side

    /// Carries out an event of the client's, or refuses it if the client sends too many.
    /// - Parameter bytes: the event's.
    func received(_ packet: SocketIOPacket, on channel: UInt64, bytes: Int, isWithinRate: Bool) async {
        guard let (name, argument) = packet.event else { return counters.messageRejected(.notAMessage) }
        await semaphore.run {
            let isTaken = state.withLock { state in
                // What a connection brings that was left comes again by the newer one.
                guard state.outbox.messageReceived(on: channel, number: state.outbox.received + 1) else { return false }
                state.outbox.hold()
                return true
            }
            guard isTaken else { return counters.messageRejected(.repeated) }
            let (answer, outcome) = await answer(to: name, argument, isWithinRate)
            counters.requested(method: SocketIOEvent.names.contains(name) ? name : "unknown", outcome: outcome)
            intake.answered(bytes: respond(answer, to: name, packet.id), to: bytes)
        }
    }

    private func answer(
        to name: String, _ argument: JSONValue, _ isWithinRate: Bool
    ) async -> (answer: SocketIOAnswer, outcome: String) {
        do throws(RoomError) {
            guard isWithinRate else {
                counters.limited(.messageRate)
                throw RoomError.tooFast(intake.messageRate)
            }
            guard let event = try SocketIOEvent(name, argument) else {
                throw RoomError(.unknownMethod, "unknown event \"\(name.prefix(64))\"")
            }
            if event.reachesEverybody { await intake.holdBackChange() }
            return (try await result(of: event), "ok")
        } catch {
            // A name that is none could be anything.
            access.audit.refused(
                error, by: "Socket.IO", from: origin,
                ["event": "\(SocketIOEvent.names.contains(name) ? name : "unknown")"])
            if error.code != .unknownMethod {
                logger.debug("event refused", metadata: ["event": "\(name)", "error": "\(error)"])
            }
            return (.value(SocketIOReply.error(error)), error.code.name)
        }
    }

    // MARK: Membership

    /// - Parameter isSame: the peer is there already, and gives way to itself.
    func joins(_ room: RoomID, isSame: Bool) {
        state.withLock { state in
            state.roomID = room
            state.isRejoining = isSame
        }
        _ = membership.take()
    }

    /// - Parameter member: `nil` if the room did not take the peer.
    func joined(_ member: RoomMember?) async {
        state.withLock { $0.isRejoining = false }
        if let member { await membership.entered(member) }
    }

    /// Sends an answer, by whichever way the client left open, and what waited for it.
    /// - Returns: the answer's bytes.
    private func respond(_ answer: SocketIOAnswer, to name: String, _ id: UInt64?) -> Int {
        let packets = answer.packets(to: name, id, from: self.id)
        return state.withLock { state in
            var sum = 0
            for packet in packets {
                let bytes = state.outbox.emit(packet)
                sum += bytes
                if packet.kind == .ack, let id = packet.id, let values = packet.data {
                    state.outbox.replied(.success(values), to: SignalID(json: .count(id)), bytes: bytes)
                }
            }
            state.outbox.release()
            return sum
        }
    }

    /// Sends a packet, after the answer to the event that is being handled.
    func send(_ packet: SocketIOPacket) { state.withLock { $0.outbox.send(packet) } }

    // MARK: The room's side

    var isUnheard: Bool { state.withLock { $0.outbox.isUnheard } }

    func notify(_ notification: ServerNotification) {
        let room = state.withLock { $0.roomID }
        if let packet = SocketIOReply.event(for: notification, in: room) { send(packet) }
    }

    func close(_ reason: PeerCloseReason) {
        // The client goes on, in another room or in none.
        if reason == .left || reason == .disconnected { return }
        let isOver = state.withLock { state in
            reason == .replaced && state.isRejoining ? false : state.outbox.close(reason)
        }
        if isOver { end() }
    }
}
