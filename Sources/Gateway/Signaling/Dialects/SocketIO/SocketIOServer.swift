import HTTPTypes
import Logging
import NIOCore
import RoundhouseMedia
import RoundhouseRooms
import Synchronization

/// Socket.IO at `/socket.io/`: every session by its name, and the HTTP requests that carry those that poll.
final class SocketIOServer: Sendable {
    private struct State {
        var connections: [Secret: EngineConnection] = [:]
        /// Those whose clients may come back, by their tokens.
        var sessions: [Secret: SocketIOSession] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())
    private let access: AccessControl
    private let group: any EventLoopGroup
    private let rooms: RoomRegistry
    private let counters: GatewayCounters
    private let lane: ReadingLane
    private let logger: Logger
    private let opened: AsyncStream<EngineConnection>
    private let newConnections: AsyncStream<EngineConnection>.Continuation

    init(
        rooms: RoomRegistry, access: AccessControl, group: any EventLoopGroup, counters: GatewayCounters,
        logger: Logger,
        lane: ReadingLane = ReadingLane()
    ) {
        self.rooms = rooms
        self.group = group
        self.counters = counters
        self.lane = lane
        self.logger = logger
        self.access = access
        (opened, newConnections) = AsyncStream.makeStream()
    }

    /// Serves the connections, one task each; returns when `close` was called and the last of them is gone.
    func run() async { await opened.serveEach { await self.serve($0) } }

    /// Closes every session and takes no more. Safe to call twice.
    func close() {
        let (sessions, connections) = state.withLock { state in
            state.isClosed = true
            return (Array(state.sessions.values), Array(state.connections.values))
        }
        for session in sessions { session.close(.shutdown) }
        for connection in connections { connection.close() }
        newConnections.finish()
    }

    private struct Channel {
        var session: SocketIOSession
        var number: UInt64
    }

    /// Carries one connection's packets until it ends.
    private func serve(_ connection: EngineConnection) async {
        var channel: Channel?
        // A client that says nothing takes the place of one that would.
        let deadline = Task { [timeout = access.limits.connectTimeout, weak connection] in
            guard (try? await Task.sleep(for: timeout)) != nil else { return }
            connection?.close()
        }
        let isBroken = await read(connection, &channel, deadline)
        deadline.cancel()
        connection.close()
        guard let channel else { return }
        if isBroken { channel.session.channelLost(channel.number) } else { channel.session.leave(channel.number) }
    }

    /// Reads a connection's packets: the first says whose it is, of a new client or of one that comes back.
    /// - Returns: whether the client may be back by another connection.
    private func read(
        _ connection: EngineConnection, _ channel: inout Channel?, _ deadline: Task<Void, Never>
    ) async -> Bool {
        for await message in connection.messages {
            let text = message.text
            defer { connection.messageHandled(text) }
            let intake = channel?.session.intake ?? connection.intake
            if connection.isClosed, intake.isTooFast { break }
            // Charged before it is read, to the session if there is one: it may come by several connections.
            let isWithinRate = await intake.admitOne(bytes: text.utf8.count)
            let packet = await lane.read(bytes: text.utf8.count) { try? SocketIOPacket(parsing: text) }
            guard let packet else {
                counters.messageRejected(.notAMessage)
                return false
            }
            switch packet.kind {
            case .connect where packet.namespace != "/":
                let problem = JSONValue.object(["message": .string("Invalid namespace")])
                let answer = SocketIOPacket(kind: .connectError, namespace: packet.namespace, data: problem)
                connection.send(answer.text)
                if connection.intake.faultReceived() { return false }
            case .connect:
                guard channel == nil else { return false }
                do throws(RoomError) {
                    channel = try await self.channel(for: connection, packet.data)
                    deadline.cancel()
                } catch {
                    access.audit.refused(error, by: "Socket.IO", from: connection.origin)
                    connection.send(SocketIOPacket(kind: .connectError, data: SocketIOReply.connectError(error)).text)
                    if connection.intake.faultReceived() { return false }
                }
            case .event:
                guard let channel, packet.namespace == "/" else {
                    counters.messageRejected(.notAMessage)
                    return false
                }
                await channel.session.received(
                    packet, on: channel.number, bytes: text.utf8.count, isWithinRate: isWithinRate)
            // The server asks nothing of its clients.
            case .ack:
                counters.messageRejected(.unexpectedResponse)
                if connection.intake.faultReceived() { return false }
            case .disconnect, .connectError, .binaryEvent, .binaryAck: return false
            }
        }
        return connection.isBroken
    }

    // MARK: Sessions

    /// The session that a connection asks for with its `auth`.
    private func channel(for connection: EngineConnection, _ auth: JSONValue?) async throws(RoomError) -> Channel {
        let fields: [String: JSONValue] = if case .object(let fields)? = auth { fields } else { [:] }
        func field(_ name: String) -> String? {
            if case .string(let text)? = fields[name] { text } else { nil }
        }
        let former = field("pid").map(Secret.init)
        if let former {
            let offset = field("offset").map { UInt64($0) } ?? 0
            if let session = state.withLock({ $0.sessions[former] }), let offset {
                let waiting = Self.identifiers(fields["waiting"])
                if let number = await session.attach(connection, offset: offset, waiting: waiting) {
                    counters.resumed(.resumed)
                    session.logger.info("signaling resumed")
                    return Channel(session: session, number: number)
                }
                // The client gets a new session.
                session.end()
            }
            counters.resumed(.refused)
        }
        let isResumable = former != nil || field("resumption") == "yes"
        let accessToken = field("token").map(Secret.init) ?? connection.token
        let origin = connection.origin
        let grants = try access.grants(of: accessToken, from: origin)
        let session = SocketIOSession(
            token: isResumable ? .random() : nil, grants: grants, origin: origin,
            // Without a way back it ends with its connection, which is counted.
            lease: isResumable ? try access.accountant.hold(.session, for: origin) : nil,
            claim: access.claim(of: accessToken, grants, from: origin.address), rooms: rooms, access: access,
            eventLoop: group.next(), counters: counters, logger: logger,
            onEnded: { [weak self, counters] session in
                counters.sessionClosed()
                self?.forget(session)
            })
        counters.sessionOpened()
        guard isKept(session), let number = await session.attach(connection) else {
            session.end()
            throw RoomError(.overloaded, "the server is full or stopping: try again later")
        }
        return Channel(session: session, number: number)
    }

    /// The acknowledgements that a client which comes back has not got: each once, and no more than are kept.
    static func identifiers(_ json: JSONValue?) -> [UInt64] {
        guard case .array(let ids)? = json else { return [] }
        var known: Set<UInt64> = []
        return ids.prefix(SignalingLink.Settings().recordedReplies).compactMap { id in
            guard case .integer(let number) = id, let id = UInt64(exactly: number) else { return nil }
            return known.insert(id).inserted ? id : nil
        }
    }

    private func isKept(_ session: SocketIOSession) -> Bool {
        guard let token = session.token else { return true }
        let limit = access.limits.connections
        return state.withLock { state in
            guard !state.isClosed, state.sessions.count < limit else { return false }
            state.sessions[token.secret] = session
            return true
        }
    }

    private func forget(_ session: SocketIOSession) {
        guard let token = session.token else { return }
        state.withLock { $0.sessions[token.secret] = nil }
    }

    private func open(
        _ socket: WebSocketConnection?, token: Secret?, from origin: ClientOrigin
    ) throws(RoomError) -> EngineConnection {
        let overloaded = RoomError(.overloaded, "the server is full or stopping")
        guard !access.isDraining else { throw overloaded }
        let lease = try access.accountant.hold(.session, for: origin)
        let name = Secret(Self.randomName())
        let limits = access.limits
        let limit = limits.connections
        var settings = EngineSession.Settings()
        settings.pingInterval = TimeAmount(limits.enginePingInterval)
        settings.pingTimeout = TimeAmount(limits.enginePingTimeout)
        settings.outgoingLimit = limits.outgoingBytes
        settings.payloadLimit = limits.messageBytes
        let connection = EngineConnection(
            name: name, token: token, from: origin, lease: lease,
            loan: access.accountant.memory(of: origin).loan(own: MemoryLoan.outgoingBytes), settings: settings,
            intake: SignalingIntake(limits: limits, counters: counters), socket: socket,
            eventLoop: socket?.eventLoop ?? group.next(),
            ended: { [weak self] in self?.forget($0) })
        let isTaken = state.withLock { state in
            guard !state.isClosed, state.connections.count < limit else { return false }
            state.connections[name] = connection
            return true
        }
        if isTaken, case .enqueued = newConnections.yield(connection) { return connection }
        connection.close()
        throw overloaded
    }

    private func forget(_ connection: EngineConnection) {
        state.withLock { $0.connections[connection.name] = nil }
    }

    private func connection(_ name: Secret) -> EngineConnection? { state.withLock { $0.connections[name] } }

    /// 120 random bits, in letters that need no escaping in a query.
    static func randomName() -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        return String((0..<20).map { _ in alphabet[Int.random(in: 0..<64)] })
    }

    // MARK: HTTP

    /// A WebSocket whose handshake named Engine.IO's path.
    func serve(
        _ socket: WebSocketConnection, session name: Secret?, token: Secret?, from origin: ClientOrigin
    ) async {
        if let name {
            if let connection = connection(name) { return await connection.serve(socket, isFirst: false) }
            socket.close(.policyViolation, reason: EngineProblem.unknownSession.message)
            return await socket.waitUntilClosed()
        }
        let connection: EngineConnection
        do throws(RoomError) {
            connection = try open(socket, token: token, from: origin)
        } catch {
            socket.close(.tryAgainLater, reason: error.message)
            return await socket.waitUntilClosed()
        }
        await connection.serve(socket, isFirst: true)
    }

    /// A polling request.
    func respond(to request: IncomingRequest, _ target: RequestTarget) async -> OutgoingResponse {
        let asked: EngineRequest
        switch EngineRequest.read(target) {
        case .failure(let problem): return problem.response
        case .success(let value): asked = value
        }
        // A WebSocket would have been one by now.
        guard asked.transport == .polling else { return EngineProblem.badRequest.response }
        guard let name = asked.session else {
            guard request.head.method == .get else { return EngineProblem.badMethod.response }
            let token = AccessControl.token(of: request.head, target)
            let connection: EngineConnection
            do throws(RoomError) {
                connection = try open(nil, token: token, from: request.origin)
            } catch {
                return .refused(error)
            }
            var response = await poll(connection, asked.number)
            // Some clients would ask for their WebSocket on this same connection, where only a first request can.
            response.head.headerFields[.connection] = "close"
            return response
        }
        guard let connection = connection(name) else { return EngineProblem.unknownSession.response }
        switch request.head.method {
        case .get: return await poll(connection, asked.number)
        case .post:
            guard let isUnderstood = await connection.post(request.body, asked.number) else {
                return .refused(RoomError(.rateLimited, "other posts of this session wait: send one at a time"))
            }
            guard isUnderstood else { return EngineProblem.badRequest.response }
            return OutgoingResponse(contentType: "text/html", body: Array("ok".utf8))
        default: return EngineProblem.badRequest.response
        }
    }

    private func poll(_ connection: EngineConnection, _ number: UInt64?) async -> OutgoingResponse {
        guard let packets = await connection.poll(number) else { return EngineProblem.badRequest.response }
        return OutgoingResponse(contentType: "text/plain; charset=UTF-8", body: EnginePayload.bytes(of: packets))
    }
}
