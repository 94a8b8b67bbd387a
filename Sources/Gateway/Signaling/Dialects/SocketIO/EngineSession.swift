import NIOCore
import RoundhouseRooms

/// A session of Engine.IO, protocol 4: one client, by polling, over a WebSocket, or on its way from the one to the other.
///
/// A machine: what arrives and the time in, actions out, to be carried out in order. WebSockets are numbered by their owner.
struct EngineSession {
    struct Settings: Sendable {
        /// Between the client's pong and the next ping.
        var pingInterval = TimeAmount.seconds(25)
        /// For the client's pong.
        var pingTimeout = TimeAmount.seconds(20)
        /// For a WebSocket, from its opening to the client's "upgrade"; and for a last poll after the server closed.
        var upgradeTimeout = TimeAmount.seconds(10)
        /// Bytes that may wait for a client that does not poll.
        var outgoingLimit = 4 * 1024 * 1024
        /// Bytes of one message of the client, as announced to it.
        var payloadLimit = 1_000_000
    }

    enum CloseReason: Hashable {
        case clientClosed, serverClosed, transportClosed
        /// Bytes that are no packets, or packets that have no place here.
        case protocolViolation
        /// A message longer than announced to the client; older clients do not count what they send in one body.
        case messageTooLong
        /// A second poll while the first still waits: two clients share a session, or one is broken.
        case overlappingPolls
        case pingTimeout
        /// The client does not take what is sent to it.
        case overflow
    }

    enum Action: Hashable {
        /// The waiting poll gets these.
        case answerPoll([EnginePacket])
        case send(EnginePacket, socket: Int)
        case closeSocket(Int)
        case message(String)
        /// Nothing arrives or can be sent any more. Exactly once.
        case closed(CloseReason)
        /// The session's name can be forgotten. Exactly once, with `closed` or after it.
        case ended
    }

    enum PollOutcome: Hashable {
        case answer([EnginePacket])
        case wait
        case refuse
    }

    private struct Probe {
        var socket: Int
        var isAnswered = false
        var deadline: NIODeadline
    }

    private enum State {
        case polling(Probe?)
        case webSocket(Int)
        /// Closed by the server; the last packets wait for a poll.
        case closing(NIODeadline)
        case closed
    }

    private enum Heartbeat {
        case resting(until: NIODeadline)
        case pinged(deadline: NIODeadline)
    }

    private let settings: Settings
    private var state: State
    private var isPollWaiting = false
    private var outgoing: [EnginePacket] = []
    /// Bytes that wait for a client that does not poll.
    private(set) var outgoingBytes = 0
    private var heartbeat: Heartbeat

    /// - Parameter socket: the WebSocket the session begins on; `nil` for one that begins by polling.
    /// - Returns: the session and what to do first; by polling, the poll that opened it is yet to be `pollReceived`.
    static func open(
        _ name: String, _ settings: Settings, socket: Int?, now: NIODeadline
    ) -> (session: EngineSession, actions: [Action]) {
        var session = EngineSession(settings, socket.map(State.webSocket) ?? .polling(nil), now: now)
        let description = JSONValue.object([
            "sid": .string(name), "upgrades": .array(socket == nil ? [.string("websocket")] : []),
            "pingInterval": .integer(settings.pingInterval.nanoseconds / 1_000_000),
            "pingTimeout": .integer(settings.pingTimeout.nanoseconds / 1_000_000),
            "maxPayload": .integer(Int64(settings.payloadLimit)),
        ])
        let actions = session.enqueue(EnginePacket(.open, description.text))
        return (session, actions)
    }

    private init(_ settings: Settings, _ state: State, now: NIODeadline) {
        self.settings = settings
        self.state = state
        heartbeat = .resting(until: now + settings.pingInterval)
    }

    var nextDeadline: NIODeadline? {
        switch state {
        case .closed: nil
        case .closing(let deadline): deadline
        case .polling(let probe): min(heartbeatDeadline, probe?.deadline ?? heartbeatDeadline)
        case .webSocket: heartbeatDeadline
        }
    }

    private var heartbeatDeadline: NIODeadline {
        switch heartbeat {
        case .resting(let until): until
        case .pinged(let deadline): deadline
        }
    }

    // MARK: By polling

    /// A GET of the client. Where the outcome is `wait`, an `answerPoll` will follow.
    mutating func pollReceived() -> (outcome: PollOutcome, actions: [Action]) {
        switch state {
        case .closed, .webSocket: return (.refuse, [])
        case .closing:
            state = .closed
            return (.answer(takeOutgoing()), [.ended])
        case .polling(let probe):
            guard !isPollWaiting else { return (.refuse, fail(.overlappingPolls)) }
            if !outgoing.isEmpty { return (.answer(takeOutgoing()), []) }
            // The client upgrades, and waits for its last poll to end before it says so.
            if probe?.isAnswered == true { return (.answer([EnginePacket(.noop)]), []) }
            isPollWaiting = true
            return (.wait, [])
        }
    }

    /// A POST of the client.
    mutating func payloadReceived(_ body: [UInt8], now: NIODeadline) -> (isAccepted: Bool, actions: [Action]) {
        guard case .polling = state else { return (false, []) }
        guard let packets = try? EnginePayload.packets(in: body) else { return (false, fail(.protocolViolation)) }
        var actions: [Action] = []
        for packet in packets {
            // What follows a packet that closes the session is not read.
            guard case .polling = state else { break }
            actions += packetReceived(packet, now: now)
        }
        return (true, actions)
    }

    // MARK: Over a WebSocket

    /// A WebSocket that names this session.
    mutating func socketOpened(_ socket: Int, now: NIODeadline) -> [Action] {
        guard case .polling(nil) = state else { return [.closeSocket(socket)] }
        state = .polling(Probe(socket: socket, deadline: now + settings.upgradeTimeout))
        return []
    }

    mutating func frameReceived(_ text: String, on socket: Int, now: NIODeadline) -> [Action] {
        switch state {
        case .webSocket(socket):
            guard let packet = try? EnginePacket(parsing: text.utf8) else { return fail(.protocolViolation) }
            return packetReceived(packet, now: now)
        case .polling(var probe?) where probe.socket == socket:
            switch text {
            case "2probe":
                probe.isAnswered = true
                state = .polling(probe)
                return [.send(EnginePacket(.pong, "probe"), socket: socket)] + endPoll()
            case "5" where probe.isAnswered:
                state = .webSocket(socket)
                return endPoll() + flush()
            default:
                state = .polling(nil)
                return [.closeSocket(socket)]
            }
        case .polling, .webSocket, .closing, .closed: return []
        }
    }

    mutating func socketClosed(_ socket: Int) -> [Action] {
        switch state {
        case .webSocket(socket): return finish(.transportClosed)
        case .polling(let probe?) where probe.socket == socket:
            state = .polling(nil)
            return []
        case .polling, .webSocket, .closing, .closed: return []
        }
    }

    // MARK: By either

    private mutating func packetReceived(_ packet: EnginePacket, now: NIODeadline) -> [Action] {
        switch packet.kind {
        case .message:
            guard packet.count <= settings.payloadLimit else { return fail(.messageTooLong) }
            return [.message(packet.data)]
        case .pong:
            if case .pinged = heartbeat { heartbeat = .resting(until: now + settings.pingInterval) }
            return []
        case .close: return finish(.clientClosed)
        case .noop: return []
        // Since protocol 4 the server pings; the others belong to a session's beginning and to its upgrade.
        case .open, .ping, .upgrade: return fail(.protocolViolation)
        }
    }

    /// The client's address has no room for what waits for it, or comes from it.
    mutating func outOfMemory() -> [Action] {
        switch state {
        case .closed, .closing: []
        case .polling, .webSocket: fail(.overflow)
        }
    }

    mutating func send(_ message: String) -> [Action] { enqueue(EnginePacket(.message, message)) }

    mutating func timePassed(now: NIODeadline) -> [Action] {
        switch state {
        case .closed: return []
        case .closing(let deadline):
            guard deadline <= now else { return [] }
            state = .closed
            return [.ended]
        case .polling(let probe):
            if let probe, probe.deadline <= now {
                state = .polling(nil)
                return [.closeSocket(probe.socket)] + sendPing(now)
            }
            return sendPing(now)
        case .webSocket: return sendPing(now)
        }
    }

    private mutating func sendPing(_ now: NIODeadline) -> [Action] {
        guard heartbeatDeadline <= now else { return [] }
        switch heartbeat {
        case .pinged: return fail(.pingTimeout)
        case .resting:
            heartbeat = .pinged(deadline: now + settings.pingTimeout)
            return enqueue(EnginePacket(.ping))
        }
    }

    /// The server ends the session, after what was sent before.
    mutating func close(now: NIODeadline) -> [Action] {
        switch state {
        case .closed, .closing: return []
        case .webSocket(let socket):
            state = .closed
            return [.send(EnginePacket(.close), socket: socket), .closeSocket(socket), .closed(.serverClosed), .ended]
        case .polling(let probe):
            let sockets: [Action] = probe.map { [.closeSocket($0.socket)] } ?? []
            outgoing.append(EnginePacket(.close))
            guard isPollWaiting else {
                state = .closing(now + settings.upgradeTimeout)
                return sockets + [.closed(.serverClosed)]
            }
            isPollWaiting = false
            state = .closed
            return sockets + [.answerPoll(takeOutgoing()), .closed(.serverClosed), .ended]
        }
    }

    // MARK: Sending and ending

    private mutating func enqueue(_ packet: EnginePacket) -> [Action] {
        switch state {
        case .closed, .closing: return []
        case .polling, .webSocket: break
        }
        guard outgoingBytes + packet.count <= settings.outgoingLimit else { return fail(.overflow) }
        outgoing.append(packet)
        outgoingBytes += packet.count
        return flush()
    }

    private mutating func flush() -> [Action] {
        switch state {
        case .webSocket(let socket): return takeOutgoing().map { .send($0, socket: socket) }
        case .polling:
            guard isPollWaiting, !outgoing.isEmpty else { return [] }
            isPollWaiting = false
            return [.answerPoll(takeOutgoing())]
        case .closing, .closed: return []
        }
    }

    private mutating func takeOutgoing() -> [EnginePacket] {
        defer {
            outgoing = []
            outgoingBytes = 0
        }
        return outgoing
    }

    /// Ends a waiting poll that has nothing to bring.
    private mutating func endPoll() -> [Action] {
        guard isPollWaiting else { return [] }
        isPollWaiting = false
        return [.answerPoll([EnginePacket(.noop)])]
    }

    /// The client is at fault or gone: what waits for it is dropped.
    private mutating func fail(_ reason: CloseReason) -> [Action] {
        guard isPollWaiting else { return finish(reason) }
        isPollWaiting = false
        return [.answerPoll([EnginePacket(.close)])] + finish(reason)
    }

    private mutating func finish(_ reason: CloseReason) -> [Action] {
        var actions = endPoll()
        switch state {
        case .webSocket(let socket): actions.append(.closeSocket(socket))
        case .polling(let probe?): actions.append(.closeSocket(probe.socket))
        case .polling(nil), .closing, .closed: break
        }
        state = .closed
        _ = takeOutgoing()
        return actions + [.closed(reason), .ended]
    }
}
