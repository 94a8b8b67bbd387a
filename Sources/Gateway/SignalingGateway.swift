import Logging
import NIOCore
import RoundhouseMedia
import RoundhouseRooms

/// Brings every signaling connection to its room, and forgets it once it is there.
actor SignalingGateway {
    private let rooms: RoomRegistry
    private let socketIO: SocketIOServer
    /// Those whose clients may come back.
    nonisolated let sessions: SignalingSessions
    /// Where long messages are read.
    nonisolated let lane: ReadingLane
    private let access: AccessControl
    private let counters: GatewayCounters
    private let logger: Logger
    private var connections: [ObjectIdentifier: WebSocketConnection] = [:]
    private var isClosed = false

    init(
        rooms: RoomRegistry, socketIO: SocketIOServer, sessions: SignalingSessions, access: AccessControl,
        counters: GatewayCounters, logger: Logger, lane: ReadingLane = ReadingLane()
    ) {
        self.rooms = rooms
        self.socketIO = socketIO
        self.sessions = sessions
        self.lane = lane
        self.access = access
        self.counters = counters
        self.logger = logger
    }

    /// Serves one client in the caller's task until its connection ends.
    nonisolated func serve(_ connection: WebSocketConnection, _ handshake: SignalingHandshake) async {
        counters.webSocketOpened(handshake.version)
        if let seconds = access.accountant.requestReceived(from: handshake.origin) {
            connection.close(.tryAgainLater, reason: "this address asks too often: try again in \(seconds) s")
            return await connection.waitUntilClosed()
        }
        switch handshake.destination {
        case .room(var entry):
            entry.accessToken = handshake.token
            entry.origin = handshake.origin
            if await opened(connection) {
                if let resumption = entry.resumption {
                    await resume(connection, entry, resumption)
                } else {
                    await begin(connection, entry, handshake.version)
                }
            } else {
                connection.close(.shutdown)
            }
            // The closing handshake is part of the service: a server that stops lets its clients read why.
            await connection.waitUntilClosed()
            await ended(connection)
        case .socketIO(let session):
            await socketIO.serve(
                connection, session: session, token: handshake.token, from: handshake.origin)
        }
    }

    /// A client without a session.
    private nonisolated func begin(
        _ connection: WebSocketConnection, _ entry: RoomEntry, _ version: HTTPVersionName
    ) async {
        let session: SignalingSession
        do throws(RoomError) {
            session = try makeSession(entry, eventLoop: connection.eventLoop, version)
        } catch {
            return connection.close(Self.closeCode(error.code), reason: "\(error.code.name): \(error.message)")
        }
        do {
            let channel = try session.attach(connection, acknowledged: 0, window: access.limits.resumptionWindow)
            try await enter(session, entry)
            session.logger.info("peer connected")
            await session.carry(connection, channel: channel)
            await channelEnded(channel, of: session, as: connection)
        } catch let error as RoomError {
            let isAudited = access.audit.refused(
                error, by: "WebSocket", from: entry.origin, ["room.id": "\(entry.room)", "peer.id": "\(entry.peer)"])
            session.logger.log(level: isAudited ? .debug : .info, "peer refused", metadata: ["error": "\(error)"])
            connection.close(Self.closeCode(error.code), reason: "\(error.code.name): \(error.message)")
            session.end()
        } catch {
            connection.close(.internalError)
            session.end()
        }
    }

    /// A client whose former connection broke.
    private nonisolated func resume(
        _ connection: WebSocketConnection, _ entry: RoomEntry, _ resumption: RoomEntry.Resumption
    ) async {
        guard let session = sessions.session(of: entry.peer, in: entry.room, token: resumption.token),
            let channel = try? session.attach(
                connection, acknowledged: resumption.acknowledged, window: access.limits.resumptionWindow)
        else {
            counters.resumed(.refused)
            return connection.close(.sessionOver, reason: "this session is over: begin a new one")
        }
        counters.resumed(.resumed)
        session.logger.info("signaling resumed")
        await session.carry(connection, channel: channel)
        await channelEnded(channel, of: session, as: connection)
    }

    /// Whether a client that is gone has left, or may come back.
    private nonisolated func channelEnded(
        _ channel: UInt64, of session: SignalingSession, as connection: WebSocketConnection
    ) async {
        switch connection.ending {
        case .lost, .closedByClient(.willBeBack): session.channelLost(channel, window: access.limits.resumptionWindow)
        case .closedByClient, .closedByServer: if session.isCurrent(channel) { session.end() }
        }
        if session.membership.isOver { await session.leaveRoom() }
    }

    // MARK: Sessions

    /// - Throws: `RoomError` with code `limitReached` if the client's address has too many.
    nonisolated func makeSession(
        _ entry: RoomEntry, eventLoop: any EventLoop, _ version: HTTPVersionName? = nil
    ) throws(RoomError) -> SignalingSession {
        let lease = try access.accountant.hold(.session, for: entry.origin)
        var logger = logger
        logger[metadataKey: "room.id"] = "\(entry.room)"
        logger[metadataKey: "peer.id"] = "\(entry.peer)"
        if let version { logger[metadataKey: "http"] = "\(version.rawValue)" }
        if let address = entry.origin.address { logger[metadataKey: "client.address"] = "\(address)" }
        counters.sessionOpened()
        return SignalingSession(
            room: entry.room, peer: entry.peer, dialect: entry.dialect, token: entry.isResumable ? .random() : nil,
            limits: access.limits, eventLoop: eventLoop, counters: counters, logger: logger, lane: lane, lease: lease,
            loan: access.accountant.memory(of: entry.origin).loan(own: MemoryLoan.outgoingBytes),
            servers: access.turn?.servers(reachedBy: entry.origin.secureAuthority),
            onEnded: { [counters, sessions] session in
                counters.sessionClosed()
                sessions.remove(session)
            })
    }

    /// Brings a session's peer into its room.
    nonisolated func enter(_ session: SignalingSession, _ entry: RoomEntry) async throws(RoomError) {
        let grants = try access.admit(entry.accessToken, from: entry.origin, to: entry.room, as: entry.peer)
        let claim = access.claim(of: entry.accessToken, grants, from: entry.origin.address)
        let needsPassword = rooms.existence(of: entry.room).needsPassword
        let (room, peer) = try await access.accountant.guessing(needsPassword, from: entry.origin) {
            () async throws(RoomError) in
            try await rooms.connect(
                entry.peer, to: entry.room, password: entry.password.revealed,
                grant: grants.peerGrant(claim, from: entry.origin.address),
                consumerReplicas: entry.consumerReplicas, through: session)
        }
        await session.entered(RoomMember(room: room, peer: peer))
        if entry.isResumable, !sessions.add(session) {
            await session.leaveRoom()
            throw RoomError(.overloaded, "the server is full or stopping: try again later")
        }
    }

    /// Closes every connection that is left and takes no more.
    func close() {
        isClosed = true
        for connection in connections.values { connection.close(.shutdown) }
        sessions.close()
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
        case .wrongPassword, .roomLocked, .unauthorized, .forbidden: .policyViolation
        case .shuttingDown: .goingAway
        case .limitReached, .rateLimited, .overloaded, .timedOut: .tryAgainLater
        case .invalidRequest, .invalidParameters, .unsupported, .unknownMethod, .notImplemented, .peerNotJoined,
            .peerAlreadyJoined, .transportNotFound, .producerNotFound, .consumerNotFound, .dataProducerNotFound,
            .dataConsumerNotFound, .wrongState, .streamConflict, .internalError:
            .internalError
        }
    }
}
