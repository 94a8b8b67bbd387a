import Logging
import NIOCore
import Rooms
import Synchronization

/// One client of the older Electron room server, over one connection or, where it asked for that, over several: carries out
/// its events one after the other, and carries what its room sends. It is in no room at first, and may go from one to
/// another.
final class SocketIOSession: PeerConnectionSink {
    struct Membership {
        var room: Room
        var peer: PeerSession
    }

    private struct State {
        var link: SignalingLink
        /// What carries its packets at present.
        var connection: EngineConnection?
        var membership: Membership?
        /// The room whose notifications arrive.
        var roomID = RoomID("")
        /// Packets made while an event is carried out; they follow its answer.
        var held: [SocketIOPacket]?
        /// The peer gives way to a newer connection of this same session.
        var isRejoining = false
        /// The room has sent the peer away while the client was gone: it is told when it comes back.
        var isDismissed = false
        var isEnded = false
        var timer: Scheduled<Void>?
    }

    /// What clients know each other by.
    let id = SocketIOServer.randomName()
    /// By which the client may come back; without it the session ends with its connection.
    let token: ResumptionToken?
    let grants: AccessGrants
    let rooms: RoomRegistry
    let access: AccessControl
    let counters: GatewayCounters
    /// What the client may ask for, over all its connections.
    let intake: SignalingIntake
    let logger: Logger
    private let window: Duration
    private let eventLoop: any EventLoop
    private let semaphore = AsyncSemaphore(limit: 8)
    private let onEnded: @Sendable (SocketIOSession) -> Void
    private let state: Mutex<State>

    /// - Parameters:
    ///   - token: for a client that wants to be able to come back.
    ///   - grants: what its access token gave it.
    ///   - onEnded: called once, from any thread, when the session is over.
    init(
        token: ResumptionToken?, grants: AccessGrants, rooms: RoomRegistry, access: AccessControl,
        eventLoop: any EventLoop, counters: GatewayCounters, logger: Logger,
        onEnded: @escaping @Sendable (SocketIOSession) -> Void
    ) {
        self.token = token
        self.grants = grants
        self.rooms = rooms
        self.access = access
        self.eventLoop = eventLoop
        self.counters = counters
        self.onEnded = onEnded
        let limits = access.limits
        window = limits.resumptionWindow
        intake = SignalingIntake(limits: limits, counters: counters)
        var logger = logger
        logger[metadataKey: "peer.id"] = "\(id)"
        self.logger = logger
        var settings = SignalingLink.Settings()
        settings.retention = TimeAmount(limits.eventsWindow)
        settings.replayBytes = limits.replayBytes
        state = Mutex(
            State(
                link: SignalingLink(settings, until: .now() + TimeAmount(window))))
    }

    // MARK: Connections

    /// The client has come by this connection, or come back by it: it is told so, and gets what it missed.
    /// - Parameters:
    ///   - offset: the number of the last event that it has; 0 for none.
    ///   - waiting: the acknowledgements it still waits for.
    /// - Returns: the connection's number; `nil` where the session is over, or too much was missed.
    func attach(_ connection: EngineConnection, offset: UInt64 = 0, waiting: [UInt64] = []) async -> UInt64? {
        // Behind the event that is carried out: what it answers is missed, or counted as received.
        let number = await semaphore.run { () -> UInt64? in
            let (number, former, isDismissed) = state.withLock { state -> (UInt64?, EngineConnection?, Bool) in
                guard !state.isEnded, let attachment = try? state.link.attach(acknowledged: offset, now: .now()),
                    attachment.lost == nil
                else { return (nil, nil, false) }
                let former = state.connection
                state.connection = connection
                state.timer?.cancel()
                state.timer = nil
                greet(connection, attachment)
                for id in waiting { repeatAnswer(id, on: connection, state) }
                for message in attachment.replay { connection.send(message.text) }
                if state.isDismissed { connection.send(SocketIOPacket(kind: .disconnect).text) }
                return (attachment.channel, former, state.isDismissed)
            }
            former?.close()
            if isDismissed { end() }
            return number
        }
        return number ?? nil
    }

    private func greet(_ connection: EngineConnection, _ attachment: SignalingLink.Attachment) {
        var greeting = ["sid": JSONValue.string(id)]
        if let token {
            greeting["pid"] = .string(token.text)
            greeting["received"] = .count(attachment.received)
        }
        connection.send(SocketIOPacket(kind: .connect, data: .object(greeting)).text)
        if let token, attachment.channel == 1 {
            // For clients that cannot see what came with the connection.
            let data = JSONValue.object([
                "token": .string(token.text), "seconds": .integer(window.components.seconds),
            ])
            connection.send(SocketIOPacket.event("resumable", [data]).text)
        }
    }

    /// Where the event has not arrived either, the client sends it again.
    private func repeatAnswer(_ id: UInt64, on connection: EngineConnection, _ state: State) {
        guard case .success(.array(let values))? = state.link.reply(to: SignalID(json: .count(id)))?.result else {
            return
        }
        connection.send(SocketIOPacket.ack(id, values).text)
    }

    /// A connection has ended, and not by the client's leaving.
    func channelLost(_ channel: UInt64) {
        guard token != nil else { return leave(channel) }
        let isAway = state.withLock { state in
            let deadline = NIODeadline.now() + TimeAmount(window)
            guard state.link.detach(channel: channel, until: deadline) else { return false }
            state.connection = nil
            guard !state.isEnded else { return false }
            state.timer = eventLoop.scheduleTask(deadline: deadline) { [weak self] in self?.patienceEnded() }
            return true
        }
        guard isAway else { return }
        counters.resumed(.lost)
        logger.info("signaling connection lost")
    }

    /// The client has left by this connection; nothing, where it has another one by now.
    func leave(_ channel: UInt64) {
        if state.withLock({ $0.link.phase == .attached(channel: channel) }) { end() }
    }

    private func patienceEnded() {
        guard state.withLock({ $0.link.timePassed(now: .now()) }) else { return }
        counters.resumed(.expired)
        logger.info("the client did not come back in time")
        end()
    }

    /// The session is over, and its peer leaves.
    func end() {
        let (isFirst, connection, membership) = state.withLock { state in
            defer {
                state.isEnded = true
                state.link.end()
                state.connection = nil
                state.membership = nil
                state.held = nil
                state.timer?.cancel()
                state.timer = nil
            }
            return (!state.isEnded, state.connection, state.membership)
        }
        guard isFirst else { return }
        connection?.close()
        onEnded(self)
        if let membership { Task { await membership.room.disconnected(membership.peer) } }
    }

    // MARK: The client's side

    /// Carries out an event of the client's, or refuses it where the client sends too many.
    func received(_ packet: SocketIOPacket, on channel: UInt64, isWithinRate: Bool) async {
        guard let (name, argument) = packet.event else { return counters.messageRejected(.notAMessage) }
        await semaphore.run {
            let isTaken = state.withLock { state in
                // What a connection brings that was left comes again by the newer one.
                guard state.link.messageReceived(channel: channel, number: state.link.received + 1) else { return false }
                state.held = []
                return true
            }
            guard isTaken else { return counters.messageRejected(.repeated) }
            let (answer, outcome) = await answer(to: name, argument, isWithinRate)
            counters.requested(method: SocketIOEvent.names.contains(name) ? name : "unknown", outcome: outcome)
            respond(answer, to: name, packet.id)
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
            if event.isToldToEverybody { await intake.holdBackChange() }
            return (try await result(of: event), "ok")
        } catch {
            // A name that is none could be anything.
            if error.code != .unknownMethod {
                logger.debug("event refused", metadata: ["event": "\(name)", "error": "\(error)"])
            }
            return (.value(SocketIOReply.error(error)), error.code.name)
        }
    }

    // MARK: Membership

    var membership: Membership? { state.withLock { $0.membership } }

    /// The client leaves its room, and is in none.
    func takeMembership() -> Membership? {
        state.withLock { state in
            defer { state.membership = nil }
            return state.membership
        }
    }

    /// - Parameter isSame: the peer is there already, and gives way to itself.
    func joins(_ room: RoomID, isSame: Bool) {
        state.withLock { state in
            state.roomID = room
            state.isRejoining = isSame
            state.membership = nil
        }
    }

    /// - Parameter membership: `nil` where the room did not take the peer.
    func joined(_ membership: Membership?) async {
        let isEnded = state.withLock { state in
            state.isRejoining = false
            if !state.isEnded { state.membership = membership }
            return state.isEnded
        }
        // The client left in the meantime.
        if isEnded, let membership { await membership.room.disconnected(membership.peer) }
    }

    // MARK: Order

    // Everything is sent under the lock, so that the order of the numbers is the order on the wire.

    /// Sends an answer, by whichever way the client left open, and what waited for it.
    private func respond(_ answer: SocketIOAnswer, to name: String, _ id: UInt64?) {
        let packets = answer.packets(to: name, id, from: self.id)
        state.withLock { state in
            for packet in packets { emit(packet, &state) }
            releaseHeld(&state)
        }
    }

    private func releaseHeld(_ state: inout State) {
        let held = state.held ?? []
        state.held = nil
        for packet in held { emit(packet, &state) }
    }

    /// Sends a packet, behind the answer to the event that is being carried out.
    func send(_ packet: SocketIOPacket) {
        state.withLock { state in
            if state.held == nil { emit(packet, &state) } else { state.held?.append(packet) }
        }
    }

    private func emit(_ packet: SocketIOPacket, _ state: inout State) {
        guard !state.isEnded else { return }
        var text = packet.text
        if token != nil {
            if packet.kind == .event {
                let number = state.link.takeNumber()
                text = packet.numbered(number).text
                state.link.sent(text, number: number, now: .now())
            } else if packet.kind == .ack, let id = packet.id, let values = packet.data {
                // Acknowledgements have no room for a number: the client says which it has not got.
                let reply = RecordedReply(.success(values))
                state.link.replied(reply, to: SignalID(json: .count(id)), bytes: text.utf8.count)
            }
        }
        state.connection?.send(text)
    }

    // MARK: The room's side

    func notify(_ notification: ServerNotification) {
        let room = state.withLock { $0.roomID }
        if let packet = SocketIOReply.event(for: notification, in: room) { send(packet) }
    }

    /// Never called: a peer that consumes on request is asked nothing.
    func request(_ request: ServerRequest, completion: @escaping @Sendable (ServerRequestOutcome) -> Void) {
        completion(.rejected)
    }

    func close(_ reason: PeerCloseReason) {
        let isOver = state.withLock { state in
            switch reason {
            case .left, .disconnected: return false
            case .replaced where state.isRejoining: return false
            case .replaced, .iceDisconnected, .dtlsFailed, .dtlsClosed, .kicked, .roomClosed:
                releaseHeld(&state)
                guard state.link.isAttached else {
                    state.isDismissed = true
                    return false
                }
                // A client that is sent away by name does not come back by itself.
                state.connection?.send(SocketIOPacket(kind: .disconnect).text)
            case .shutdown: releaseHeld(&state)
            }
            return true
        }
        if isOver { end() }
    }
}
