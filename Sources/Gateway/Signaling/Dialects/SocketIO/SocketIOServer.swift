import HTTPTypes
import Logging
import NIOCore
import Rooms
import Synchronization

/// Socket.IO at `/socket.io/`: every session by its name, and the HTTP requests that carry those that poll.
final class SocketIOServer: Sendable {
    private struct State {
        var connections: [String: EngineConnection] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())
    private let access: AccessControl
    private let group: any EventLoopGroup
    private let rooms: RoomRegistry
    private let counters: GatewayCounters
    private let logger: Logger
    private let opened: AsyncStream<EngineConnection>
    private let opener: AsyncStream<EngineConnection>.Continuation

    init(
        rooms: RoomRegistry, access: AccessControl, group: any EventLoopGroup, counters: GatewayCounters, logger: Logger
    ) {
        self.rooms = rooms
        self.group = group
        self.counters = counters
        self.logger = logger
        self.access = access
        (opened, opener) = AsyncStream.makeStream()
    }

    /// Serves the sessions, one task each; returns when `close` was called and the last of them is gone.
    func run() async {
        await withDiscardingTaskGroup { tasks in
            for await connection in opened { tasks.addTask { await self.serve(connection) } }
        }
    }

    /// Closes every session and takes no more. Safe to call twice.
    func close() {
        let connections = state.withLock { state in
            state.isClosed = true
            return Array(state.connections.values)
        }
        for connection in connections { connection.close() }
        opener.finish()
    }

    private func serve(_ connection: EngineConnection) async {
        counters.sessionOpened()
        await SocketIOSession(connection: connection, rooms: rooms, access: access, counters: counters, logger: logger)
            .run()
        connection.close()
        counters.sessionClosed()
    }

    // MARK: Sessions

    private func open(_ socket: WebSocketConnection?, token: String?) -> EngineConnection? {
        guard !access.isDraining else { return nil }
        let name = Self.randomName()
        let limits = access.limits
        let limit = limits.connections
        var settings = EngineSession.Settings()
        settings.outgoingLimit = limits.outgoingBytes
        settings.payloadLimit = limits.messageBytes
        let connection = EngineConnection(
            name: name, token: token, settings: settings, socket: socket, eventLoop: socket?.eventLoop ?? group.next(),
            ended: { [weak self] in self?.forget($0) })
        let isTaken = state.withLock { state in
            guard !state.isClosed, state.connections.count < limit else { return false }
            state.connections[name] = connection
            return true
        }
        if isTaken, case .enqueued = opener.yield(connection) { return connection }
        connection.close()
        return nil
    }

    private func forget(_ connection: EngineConnection) {
        state.withLock { $0.connections[connection.name] = nil }
    }

    private func connection(_ name: String) -> EngineConnection? { state.withLock { $0.connections[name] } }

    /// 120 random bits, in letters that need no escaping in a query.
    static func randomName() -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        return String((0..<20).map { _ in alphabet[Int.random(in: 0..<64)] })
    }

    // MARK: HTTP

    /// A WebSocket whose handshake named Engine.IO's path.
    func serve(_ socket: WebSocketConnection, session name: String?, token: String?) async {
        if let name {
            if let connection = connection(name) { return await connection.serve(socket, isFirst: false) }
            socket.close(.policyViolation, reason: EngineProblem.unknownSession.message)
        } else if let connection = open(socket, token: token) {
            return await connection.serve(socket, isFirst: true)
        } else {
            socket.close(.tryAgainLater, reason: "the server is full or stopping")
        }
        await socket.waitUntilClosed()
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
            guard let connection = open(nil, token: AccessControl.token(of: request.head, target)) else {
                return .refused(RoomError(.overloaded, "the server is full or stopping"))
            }
            var response = await poll(connection)
            // Some clients would ask for their WebSocket on this same connection, where only a first request can.
            response.head.headerFields[.connection] = "close"
            return response
        }
        guard let connection = connection(name) else { return EngineProblem.unknownSession.response }
        switch request.head.method {
        case .get: return await poll(connection)
        case .post:
            guard connection.post(request.body) else { return EngineProblem.badRequest.response }
            return OutgoingResponse(contentType: "text/html", body: Array("ok".utf8))
        default: return EngineProblem.badRequest.response
        }
    }

    private func poll(_ connection: EngineConnection) async -> OutgoingResponse {
        guard let packets = await connection.poll() else { return EngineProblem.badRequest.response }
        return OutgoingResponse(contentType: "text/plain; charset=UTF-8", body: EnginePayload.bytes(of: packets))
    }
}
