import HTTPTypes
import Logging
import RoundhouseMedia
import RoundhouseRooms

/// What operators may change, and moderators in their room.
extension StateAPI {
    /// - Throws: `StateQuery.Invalid`, which names the body's field.
    func change(
        _ route: StateRoute, _ method: HTTPRequest.Method, _ request: IncomingRequest
    ) async throws(StateQuery.Invalid) -> OutgoingResponse {
        let audit = admin.access.audit
        switch route {
        case .room(let id):
            let wasPlanned = registry.forgetPlan(of: id)
            let room = registry.room(id)
            guard wasPlanned || room != nil else { return Self.noRoom }
            audit.operated("an operator closes a room", from: request.origin, ["room.id": "\(id)"])
            await room?.close(.roomClosed)
        case .peer(let id, let peer):
            if method == .patch { return try await changeRights(of: peer, in: id, request) }
            guard let room = registry.room(id) else { return Self.noRoom }
            guard await room.kick(peer) else { return Self.one(nil, .peerClosed) }
            audit.operated(
                "an operator has sent a peer away", from: request.origin, ["room.id": "\(id)", "peer.id": "\(peer)"])
        case .transport(let id, let transport): return try await changeBitrates(of: transport, in: id, request)
        case .recording(let id, let peer):
            guard let room = registry.room(id) else { return Self.noRoom }
            do throws(RoomError) {
                if method == .delete {
                    return try await room.stopRecording(of: peer)
                        ? OutgoingResponse(status: .noContent) : Self.one(nil, .peerClosed)
                }
                guard let count = try await room.startRecording(of: peer) else { return Self.one(nil, .peerClosed) }
                guard count > 0 else {
                    return .failure(
                        .conflict, code: "nothing-to-record",
                        """
                        nothing decides what this peer is sent: the server ignores bandwidths (--bandwidth), it receives nothing, or its \
                        media thread makes \(MediaHandle.recordingLimit) recordings already
                        """)
                }
                audit.operated(
                    "an operator records what decides a peer's layers", from: request.origin,
                    ["room.id": "\(id)", "peer.id": "\(peer)"])
            } catch {
                return .refused(error)
            }
        case .producerPause(let id, let producer, let isPaused):
            guard let room = registry.room(id) else { return Self.noRoom }
            do throws(RoomError) {
                try await room.setProducerPaused(producer, isPaused)
                audit.operated(
                    isPaused ? "an operator has paused a producer" : "an operator has resumed a producer",
                    from: request.origin, ["room.id": "\(id)", "producer.id": "\(producer)"])
            } catch {
                return .refused(error)
            }
        case .rooms: return try planRoom(request)
        case .mute(let id): return try await mute(id, request)
        case .lock(let id, let isLocked):
            guard let room = registry.room(id) else { return Self.noRoom }
            await room.setLocked(isLocked)
            audit.operated(
                isLocked ? "an operator has locked a room" : "an operator has unlocked a room", from: request.origin,
                ["room.id": "\(id)"])
        case .messages(let id): return try await say(in: id, request)
        case .invites(let id): return try invite(to: id, request)
        case .peerBan(let id, let peer): return try await ban(peer, from: id, request)
        case .ban(let id, let ban):
            guard registry.liftBan(ban, of: id) else {
                return .failure(.notFound, code: "ban-not-found", "the room has no ban with this id in force")
            }
            audit.operated(
                "an operator has lifted a ban", from: request.origin, ["room.id": "\(id)", "ban.id": "\(ban)"])
        case .allPeers, .history, .record, .audit, .bans, .snapshot, .recentEvents, .minutes, .peers, .explanation,
            .explanationEvents, .transports, .producers, .producer, .consumers, .consumer, .server, .shards, .events:
            return .methodNotAllowed("GET, HEAD", "this path has no such method")
        }
        return OutgoingResponse(status: .noContent)
    }

    // MARK: Rooms ahead

    private func planRoom(_ request: IncomingRequest) throws(StateQuery.Invalid) -> OutgoingResponse {
        let body = try StateBody(
            request.body, allowed: ["name", "password", "maxPeers", "codecs", "metadata", "expiresIn"])
        let name = try body.text("name", limit: 64)
        if let name, !ClientName.room.admits(name) { throw .init(message: "name: \(ClientName.room.rule)") }
        let most = registry.configuration.maximumPeers
        let seconds = try body.number("expiresIn", 60...31_536_000) ?? 86_400
        let plan = RoomPlan(
            password: Secret(try body.text("password") ?? ""), maximumPeers: try body.number("maxPeers", 1...most),
            codecs: Set((try body.texts("codecs", limit: 32) ?? []).map { $0.lowercased() }),
            metadata: try body.object("metadata", limit: RoomPlan.metadataBytes) ?? .object([:]),
            until: Self.now + Int64(seconds) * 1000)
        do throws(RoomError) {
            guard let id = try registry.plan(plan, for: name.map { RoomID($0) }), let made = registry.summary(of: id)
            else {
                return .failure(
                    .conflict, code: "room-exists", "a room of this name exists: choose another, or DELETE it")
            }
            admin.access.audit.operated("an operator has made a room", from: request.origin, ["room.id": "\(id)"])
            return OutgoingResponse(status: .created, json: made.json)
        } catch {
            return .refused(error)
        }
    }

    // MARK: Everybody in a room

    private func mute(_ id: RoomID, _ request: IncomingRequest) async throws(StateQuery.Invalid) -> OutgoingResponse {
        let body = try StateBody(request.body, allowed: ["kind", "except"])
        let kind = try body.text("kind") ?? "audio"
        guard let kind = MediaKind(rawValue: kind) else { throw .init(message: "kind: neither audio nor video") }
        let except = Set((try body.texts("except", limit: 100) ?? []).map { PeerID($0) })
        guard let room = registry.room(id) else { return Self.noRoom }
        do throws(RoomError) {
            let count = try await room.pauseProducers(of: kind, except: except)
            admin.access.audit.operated(
                "an operator has paused everybody's producers", from: request.origin,
                ["room.id": "\(id)", "kind": "\(kind.rawValue)", "paused": "\(count)"])
            return OutgoingResponse(json: .object(["paused": .integer(Int64(count))]))
        } catch {
            return .refused(error)
        }
    }

    private func say(in id: RoomID, _ request: IncomingRequest) async throws(StateQuery.Invalid) -> OutgoingResponse {
        let body = try StateBody(request.body, allowed: ["text", "peer"])
        guard let text = try body.text("text", limit: 1000) else { throw .init(message: "text: missing") }
        let peer = try body.text("peer").map { PeerID($0) }
        guard let room = registry.room(id) else { return Self.noRoom }
        guard await room.say(text, to: peer) else { return Self.one(nil, .peerClosed) }
        admin.access.audit.operated(
            "an operator has sent a message", from: request.origin,
            ["room.id": "\(id)", "peer.id": "\(peer?.rawValue ?? "everybody")"])
        return OutgoingResponse(status: .noContent)
    }

    // MARK: One peer

    private func changeRights(
        of peer: PeerID, in id: RoomID, _ request: IncomingRequest
    ) async throws(StateQuery.Invalid) -> OutgoingResponse {
        let names: [(String, PeerPermissions)] = [("publish", .publish), ("subscribe", .subscribe), ("data", .data)]
        let body = try StateBody(request.body, allowed: ["permissions"])
        guard let wanted = try body.child("permissions", allowed: names.map(\.0)) else {
            throw .init(message: "permissions: missing")
        }
        var (granted, taken): (PeerPermissions, PeerPermissions) = ([], [])
        for (name, permission) in names {
            switch try wanted.flag(name) {
            case true: granted.insert(permission)
            case false: taken.insert(permission)
            case nil: break
            }
        }
        guard let room = registry.room(id) else { return Self.noRoom }
        do throws(RoomError) {
            guard try await room.changePermissions(of: peer, granting: granted, taking: taken) else {
                return Self.one(nil, .peerClosed)
            }
        } catch {
            return .refused(error)
        }
        admin.access.audit.operated(
            "an operator has changed what a peer may do", from: request.origin,
            ["room.id": "\(id)", "peer.id": "\(peer)"])
        return Self.one(await room.snapshot(withStatistics: false).peerObject(peer), .peerClosed)
    }

    private func ban(
        _ peer: PeerID, from id: RoomID, _ request: IncomingRequest
    ) async throws(StateQuery.Invalid) -> OutgoingResponse {
        let body = try StateBody(request.body, allowed: ["seconds"])
        let seconds = try body.number("seconds", 60...31_536_000) ?? 3600
        guard let room = registry.room(id) else { return Self.noRoom }
        do throws(RoomError) {
            guard let ban = try await registry.ban(peer, from: room, seconds: seconds) else {
                return Self.one(nil, .peerClosed)
            }
            admin.access.audit.operated(
                "an operator keeps a client out of a room", from: request.origin,
                ["room.id": "\(id)", "peer.id": "\(peer)", "ban.id": "\(ban.id)", "seconds": "\(seconds)"])
            return OutgoingResponse(status: .created, json: ban.json)
        } catch {
            return .refused(error)
        }
    }

    // MARK: One transport

    private func changeBitrates(
        of transport: TransportID, in id: RoomID, _ request: IncomingRequest
    ) async throws(StateQuery.Invalid) -> OutgoingResponse {
        let names = ["maxIncomingBitrate", "maxOutgoingBitrate", "minOutgoingBitrate"]
        let body = try StateBody(request.body, allowed: names)
        guard names.contains(where: body.has) else {
            throw .init(message: "the body: none of \(names.joined(separator: ", "))")
        }
        var wanted: [Int?] = []
        for name in names { wanted.append(body.isNull(name) ? nil : try body.number(name, 1...1_000_000_000)) }
        let (incoming, most, least) = (wanted[0], wanted[1], wanted[2])
        let (hasIncoming, hasMost, hasLeast) = (body.has(names[0]), body.has(names[1]), body.has(names[2]))
        guard let room = registry.room(id) else { return Self.noRoom }
        do throws(RoomError) {
            let isKnown = try await room.changeBitrates(of: transport) { bitrates in
                if hasIncoming { bitrates.maximumIncoming = incoming.map { UInt64($0) } }
                if hasMost { bitrates.maximumOutgoing = most.map { UInt64($0) } }
                if hasLeast { bitrates.minimumOutgoing = least.map { UInt64($0) } }
            }
            guard isKnown else { return Self.one(nil, .transportNotFound) }
        } catch {
            return .refused(error)
        }
        admin.access.audit.operated(
            "an operator has limited a transport's bitrates", from: request.origin,
            ["room.id": "\(id)", "transport.id": "\(transport)"])
        return Self.one(await room.snapshot().transportObject(transport), .transportNotFound)
    }

    // MARK: Invitations

    /// A token for the room.
    private func invite(to id: RoomID, _ request: IncomingRequest) throws(StateQuery.Invalid) -> OutgoingResponse {
        let body = try StateBody(
            request.body, allowed: ["name", "publish", "subscribe", "data", "moderate", "expiresIn"])
        let name = try body.text("name", limit: 64)
        // What a moderator's token could not do after its own end, what it made must not do for long either.
        let isOperator = admin.isOperator(request)
        let seconds = try body.number("expiresIn", 60...(isOperator ? 31_536_000 : 604_800)) ?? 86_400
        if !isOperator, try body.flag("moderate") == true {
            return .failure(.forbidden, code: "forbidden", "moderate: only a token that grants admin makes moderators")
        }
        var permissions: PeerPermissions = []
        for (field, permission, fallback) in [
            ("publish", PeerPermissions.publish, true), ("subscribe", .subscribe, true), ("data", .data, true),
            ("moderate", .moderate, false),
        ] where try body.flag(field) ?? fallback {
            permissions.insert(permission)
        }
        guard !permissions.isDisjoint(with: .all) else {
            throw .init(message: "publish, subscribe, data: one of them has to be true")
        }
        guard ClientName.room.admits(id.rawValue) else {
            throw .init(message: "the room's name \(ClientName.room.rule)")
        }
        let grants = AccessGrants(room: id.rawValue, permissions: permissions, name: name)
        let tokenID = String(ResumptionToken.random().text.prefix(16))
        guard let token = admin.access.invitation(grants, seconds: seconds, id: tokenID) else {
            return .failure(
                .conflict, code: "no-secret",
                "the server has no secret to sign with (--auth-key-file): without any key a link needs no token")
        }
        admin.access.audit.operated(
            "an invitation was made", from: request.origin,
            ["room.id": "\(id)", "token.id": "\(tokenID)", "seconds": "\(seconds)"])
        return OutgoingResponse(
            status: .created,
            json: .object([
                "token": .string(token), "id": .string(tokenID),
                "expiresAt": .integer(Self.now + Int64(seconds) * 1000),
            ]))
    }
}
