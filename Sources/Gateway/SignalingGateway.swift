import Logging
import NIOCore
import Rooms

/// Brings every signaling connection to its room, and forgets it once it is there.
actor SignalingGateway {
    private let rooms: RoomRegistry
    private let socketIO: SocketIOServer
    private let access: AccessControl
    private let counters: GatewayCounters
    private let logger: Logger
    private var connections: [ObjectIdentifier: WebSocketConnection] = [:]
    private var isClosed = false

    init(
        rooms: RoomRegistry, socketIO: SocketIOServer, access: AccessControl, counters: GatewayCounters, logger: Logger
    ) {
        self.rooms = rooms
        self.socketIO = socketIO
        self.access = access
        self.counters = counters
        self.logger = logger
    }

    /// Serves one client in the caller's task until its connection ends.
    nonisolated func serve(_ connection: WebSocketConnection, _ handshake: SignalingHandshake) async {
        counters.webSocketOpened(handshake.version)
        if let seconds = access.requestReceived(from: handshake.remoteAddress) {
            connection.close(.tryAgainLater, reason: "this address asks too often: try again in \(seconds) s")
            return await connection.waitUntilClosed()
        }
        switch handshake.destination {
        case .room(let room, let peer, let password, let dialect):
            await serve(connection, room, peer, password, dialect, handshake)
        case .socketIO(let session): await socketIO.serve(connection, session: session, token: handshake.token)
        }
    }

    private nonisolated func serve(
        _ connection: WebSocketConnection, _ roomID: RoomID, _ peerID: PeerID, _ password: String,
        _ dialect: any SignalingDialect, _ handshake: SignalingHandshake
    ) async {
        guard await opened(connection) else {
            connection.close(.goingAway, reason: PeerCloseReason.shutdown.closeReason)
            return await connection.waitUntilClosed()
        }
        counters.sessionOpened()
        var logger = logger
        logger[metadataKey: "room.id"] = "\(roomID)"
        logger[metadataKey: "peer.id"] = "\(peerID)"
        logger[metadataKey: "http"] = "\(handshake.version.rawValue)"
        let session = SignalingSession(
            connection: connection, dialect: dialect, limits: access.limits, counters: counters, logger: logger)
        do throws(RoomError) {
            let grants = try access.admit(handshake.token, to: roomID, as: peerID)
            let (room, peer) = try await rooms.connect(
                peerID, to: roomID, password: password, grant: grants.peerGrant, through: session)
            logger.info("peer connected")
            await session.run(in: room, as: peer)
            session.ended()
            await room.disconnected(peer)
            logger.info("peer disconnected")
        } catch {
            logger.warning("peer refused", metadata: ["error": "\(error)"])
            connection.close(Self.closeCode(error.code), reason: error.message)
            session.ended()
        }
        // The closing handshake is part of the service: a server that stops lets its clients read why.
        await connection.waitUntilClosed()
        counters.sessionClosed()
        await ended(connection)
    }

    /// Closes every connection that is left and takes no more.
    func close() {
        isClosed = true
        for connection in connections.values {
            connection.close(.goingAway, reason: PeerCloseReason.shutdown.closeReason)
        }
    }

    private func opened(_ connection: WebSocketConnection) -> Bool {
        guard !isClosed else { return false }
        connections[ObjectIdentifier(connection)] = connection
        return true
    }

    private func ended(_ connection: WebSocketConnection) { connections[ObjectIdentifier(connection)] = nil }

    /// The close frame for a client that could not enter its room.
    static func closeCode(_ code: RoomError.Code) -> WebSocketCloseCode {
        switch code {
        case .roomClosed, .peerClosed: .goingAway
        case .wrongPassword, .unauthorized, .forbidden: .policyViolation
        case .shuttingDown: .goingAway
        case .limitReached, .rateLimited, .overloaded, .timedOut: .tryAgainLater
        case .invalidRequest, .invalidParameters, .unsupported, .unknownMethod, .notImplemented, .peerNotJoined,
            .peerAlreadyJoined, .transportNotFound, .producerNotFound, .consumerNotFound, .wrongState, .streamConflict,
            .internalError:
            .internalError
        }
    }
}
