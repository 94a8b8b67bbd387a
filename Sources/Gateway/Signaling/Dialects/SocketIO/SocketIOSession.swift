import Logging
import NIOCore
import Rooms
import Synchronization

/// One client of the older Electron room server: reads events one after the other, has registry and room carry each
/// out, and carries what the room sends. It is in no room at first, and may go from one to another.
final class SocketIOSession: PeerConnectionSink {
    private struct State {
        /// The room whose notifications arrive.
        var roomID = RoomID("")
        /// Packets made while an event is carried out; they follow its answer.
        var held: [SocketIOPacket]?
        /// The peer gives way to a newer connection of this same session.
        var isRejoining = false
    }

    private struct Membership {
        var room: Room
        var peer: PeerSession
    }

    private enum Answer {
        case none
        /// An answer without a value.
        case done
        case value(JSONValue, then: SocketIOPacket? = nil)
    }

    /// What clients know each other by.
    let id = SocketIOServer.randomName()
    private let connection: EngineConnection
    private let rooms: RoomRegistry
    private let access: AccessControl
    private let rate: RateLimit
    private let counters: GatewayCounters
    private let logger: Logger
    private let state = Mutex(State())

    init(
        connection: EngineConnection, rooms: RoomRegistry, access: AccessControl, counters: GatewayCounters,
        logger: Logger
    ) {
        self.connection = connection
        self.rooms = rooms
        self.access = access
        rate = RateLimit(perSecond: access.limits.messagesPerSecond)
        self.counters = counters
        var logger = logger
        logger[metadataKey: "peer.id"] = "\(id)"
        self.logger = logger
    }

    // MARK: The client's side

    /// Serves the client until its session ends. Call it once.
    func run() async {
        var grants: AccessGrants?
        var bucket = TokenBucket(rate: rate, now: .now())
        var membership: Membership?
        loop: for await text in connection.messages {
            guard let packet = try? SocketIOPacket(parsing: text) else {
                counters.messageRejected(.notAMessage)
                break
            }
            switch packet.kind {
            case .connect where packet.namespace != "/":
                let problem = JSONValue.object(["message": .string("Invalid namespace")])
                send(SocketIOPacket(kind: .connectError, namespace: packet.namespace, data: problem))
            case .connect:
                guard grants == nil else { break loop }
                do throws(RoomError) {
                    grants = try access.grants(of: Self.token(in: packet.data) ?? connection.token)
                    send(SocketIOPacket(kind: .connect, data: .object(["sid": .string(id)])))
                } catch {
                    send(SocketIOPacket(kind: .connectError, data: SocketIOReply.connectError(error)))
                }
            case .event:
                guard let grants, packet.namespace == "/", let (name, argument) = packet.event else {
                    counters.messageRejected(.notAMessage)
                    break loop
                }
                let isTooFast = bucket.take(rate, now: .now()) != nil
                await carryOut(name, argument, packet.id, grants, isTooFast: isTooFast, &membership)
            // The server asks nothing of its clients.
            case .ack: counters.messageRejected(.unexpectedResponse)
            case .disconnect, .connectError, .binaryEvent, .binaryAck: break loop
            }
        }
        if let membership { await membership.room.disconnected(membership.peer) }
    }

    /// The token of a connection's `auth`.
    private static func token(in data: JSONValue?) -> String? {
        guard case .object(let fields)? = data, case .string(let token)? = fields["token"] else { return nil }
        return token
    }

    private func carryOut(
        _ name: String, _ argument: JSONValue, _ id: UInt64?, _ grants: AccessGrants, isTooFast: Bool,
        _ membership: inout Membership?
    ) async {
        state.withLock { $0.held = [] }
        let answer: Answer
        var outcome = "ok"
        do throws(RoomError) {
            if isTooFast {
                counters.limited(.messageRate)
                throw RoomError.tooFast(rate)
            }
            guard let event = try SocketIOEvent(name, argument) else {
                throw RoomError(.unknownMethod, "unknown event \"\(name.prefix(64))\"")
            }
            answer = try await result(of: event, grants, &membership)
        } catch {
            logger.debug("event refused", metadata: ["event": "\(name.prefix(64))", "error": "\(error)"])
            outcome = error.code.name
            answer = .value(SocketIOReply.error(error))
        }
        counters.requested(method: SocketIOEvent.names.contains(name) ? name : "unknown", outcome: outcome)
        respond(answer, to: name, id)
    }

    private func result(
        of event: SocketIOEvent, _ grants: AccessGrants, _ membership: inout Membership?
    ) async throws(RoomError) -> Answer {
        switch event {
        case .createRoom(let room, let password):
            _ = try access.admit(grants, to: room)
            return .value(.string(try rooms.createRoom(room, password: password) ? room.rawValue : "already exists"))
        case .join(let room, let name, let password): return try await join(room, name, password, grants, &membership)
        case .exitRoom:
            guard let current = membership else { throw RoomError(.invalidRequest, "not currently in a room") }
            membership = nil
            await current.room.left(current.peer)
            return .value(.string("successfully exited room"))
        case .resume: return .done
        case .getProducers:
            guard let current = membership else { return .none }
            if case .producers(let producers) = try await current.room.request(.getProducers, from: current.peer) {
                send(SocketIOReply.everyProducer(producers))
            }
            return .none
        case .getMyRoomInfo:
            guard let current = membership else { throw RoomError(.invalidRequest, "not currently in a room") }
            guard case .peers(let peers) = try await current.room.request(.getPeers, from: current.peer) else {
                return .none
            }
            return .value(.object(SocketIOReply.room(current.room.id, peers)))
        case .room(let request): return try await result(of: request, membership)
        }
    }

    private func join(
        _ id: RoomID, _ name: String, _ password: String, _ grants: AccessGrants, _ membership: inout Membership?
    ) async throws(RoomError) -> Answer {
        _ = try access.admit(grants, to: id)
        guard rooms.existence(of: id).exists else { throw RoomError(.invalidRequest, "room does not exist") }
        guard rooms.isPassword(password, of: id) else { throw RoomError(.wrongPassword, "wrong password") }
        // One socket is in one room. Joining the same one again must not empty it, and with that delete it, in between.
        let isSame = membership?.room.id == id
        if let current = membership, !isSame { await current.room.left(current.peer) }
        membership = nil
        state.withLock { state in
            state.roomID = id
            state.isRejoining = isSame
        }
        defer { state.withLock { $0.isRejoining = false } }
        let (room, peer) = try await rooms.connect(
            PeerID(self.id), to: id, password: password, grant: grants.peerGrant, through: self)
        membership = Membership(room: room, peer: peer)
        let request = JoinRequest(displayName: name, consumesOnRequest: true)
        guard case .joined(let others) = try await room.request(.join(request), from: peer),
            case .peers(let all) = try await room.request(.getPeers, from: peer)
        else { return .none }
        logger.info("peer joined", metadata: ["room.id": "\(id)"])
        var description = SocketIOReply.room(id, all)
        description["socketid"] = .string(self.id)
        return .value(.object(description), then: SocketIOReply.othersInRoom(others))
    }

    private func result(
        of request: SignalingRequest, _ membership: Membership?
    ) async throws(RoomError) -> Answer {
        guard let membership else {
            if case .produce = request { throw RoomError(.invalidRequest, "not is a room") }
            throw RoomError(.invalidRequest, "not currently in a room")
        }
        do throws(RoomError) {
            let response = try await membership.room.request(request, from: membership.peer)
            if case .closeProducer = request { return .none }
            return SocketIOReply.value(of: response).map { .value($0) } ?? .none
        } catch {
            switch (request, error.code) {
            // That server said so whether or not there was such a thing, and its clients go on with it.
            case (.connectWebRtcTransport, .transportNotFound), (.pauseProducer, .producerNotFound),
                (.resumeProducer, .producerNotFound):
                return .value(.string("success"))
            case (.closeProducer, .producerNotFound): return .none
            default: throw error
            }
        }
    }

    // MARK: Order

    // Everything is sent under the lock, so that the order of the queue is the order on the wire.

    /// Sends an answer, by whichever way the client left open, and what waited for it.
    private func respond(_ answer: Answer, to name: String, _ id: UInt64?) {
        var packets: [SocketIOPacket] = []
        switch answer {
        case .none: break
        case .done: if let id { packets.append(.ack(id, [])) }
        case .value(var value, let then):
            if let id {
                packets.append(.ack(id, [value]))
            } else if SocketIOEvent.namesWithCallback.contains(name) {
                if name == "consume", case .object(var fields) = value, fields["error"] == nil {
                    fields["peerId"] = .string(self.id)
                    value = .object(fields)
                }
                packets.append(.event(name + " callback", [value]))
            }
            if let then { packets.append(then) }
        }
        state.withLock { state in
            for packet in packets { connection.send(packet.text) }
            releaseHeld(&state)
        }
    }

    private func releaseHeld(_ state: inout State) {
        for packet in state.held ?? [] { connection.send(packet.text) }
        state.held = nil
    }

    private func send(_ packet: SocketIOPacket) {
        state.withLock { state in
            if state.held == nil { connection.send(packet.text) } else { state.held?.append(packet) }
        }
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
        state.withLock { state in
            switch reason {
            case .left, .disconnected: return
            case .replaced where state.isRejoining: return
            case .replaced, .iceDisconnected, .dtlsFailed, .dtlsClosed, .kicked, .roomClosed:
                releaseHeld(&state)
                // A client that is sent away by name does not come back by itself.
                connection.send(SocketIOPacket(kind: .disconnect).text)
            case .shutdown: releaseHeld(&state)
            }
            connection.close()
        }
    }
}
