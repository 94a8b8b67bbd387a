import Logging
import RoundhouseMedia
import RoundhouseRooms

extension SocketIOSession {
    func result(of event: SocketIOEvent) async throws(RoomError) -> SocketIOAnswer {
        switch event {
        case .createRoom(let room, let password):
            _ = try access.admit(grants, to: room)
            // Whoever may enter a room must not lock out those who come later.
            let mayLock = !access.requiresToken || grants.isAdmin
            rooms.forgetUnusedNames()
            let lease = try access.accountant.hold(.roomName, for: origin)
            let needsPassword = rooms.existence(of: room).needsPassword
            let isNew = try await access.accountant.guessing(needsPassword, from: origin) { () throws(RoomError) in
                try rooms.createRoom(room, password: password.revealed, mayLock: mayLock, keeping: lease)
            }
            return .value(.string(isNew ? room.rawValue : "already exists"))
        case .join(let room, let name, let password): return try await join(room, name, password.revealed)
        case .exitRoom:
            guard let current = membership.take() else {
                throw RoomError(.invalidRequest, "not currently in a room")
            }
            await current.room.left(current.peer)
            return .value(.string("successfully exited room"))
        case .resume: return .done
        case .getProducers:
            guard let current = membership.member else { return .none }
            if case .producers(let producers) = try await current.room.request(.getProducers, from: current.peer) {
                send(SocketIOReply.everyProducer(producers))
            }
            return .none
        case .getMyRoomInfo:
            guard let current = membership.member else { throw RoomError(.invalidRequest, "not currently in a room") }
            guard case .peers(let peers) = try await current.room.request(.getPeers, from: current.peer) else {
                return .none
            }
            return .value(.object(SocketIOReply.room(current.room.id, peers)))
        case .room(let request): return try await result(of: request)
        }
    }

    private func join(_ id: RoomID, _ name: String, _ password: String) async throws(RoomError) -> SocketIOAnswer {
        _ = try access.admit(grants, to: id)
        guard rooms.existence(of: id).exists else { throw RoomError(.invalidRequest, "room does not exist") }
        let needsPassword = rooms.existence(of: id).needsPassword
        try await access.accountant.guessing(needsPassword, from: origin) { () throws(RoomError) in
            guard rooms.isPassword(password, of: id) else { throw RoomError(.wrongPassword, "wrong password") }
        }
        // One socket is in one room. Joining the same one again must not empty it, and with that delete it, in between.
        let isSame = membership.member?.room.id == id
        if let current = membership.member, !isSame { await current.room.left(current.peer) }
        joins(id, isSame: isSame)
        let room: Room
        let peer: PeerSession
        do throws(RoomError) {
            (room, peer) = try await rooms.connect(
                PeerID(self.id), to: id, password: password, grant: grants.peerGrant(claim, from: origin.address),
                through: self)
        } catch {
            await joined(nil)
            throw error
        }
        await joined(RoomMember(room: room, peer: peer))
        let request = JoinRequest(displayName: name, consumesOnRequest: true, outlivesTransports: true)
        guard case .joined(let answer) = try await room.request(.join(request), from: peer),
            case .peers(let all) = try await room.request(.getPeers, from: peer)
        else { return .none }
        logger.info("peer joined", metadata: ["room.id": "\(id)"])
        var description = SocketIOReply.room(id, all)
        description["socketid"] = .string(self.id)
        return .value(.object(description), then: SocketIOReply.othersInRoom(answer.peers))
    }

    private func result(of request: SignalingRequest) async throws(RoomError) -> SocketIOAnswer {
        guard let member = membership.member else {
            if case .produce = request { throw RoomError(.invalidRequest, "not is a room") }
            throw RoomError(.invalidRequest, "not currently in a room")
        }
        do throws(RoomError) {
            let response = try await member.room.request(request, from: member.peer)
            if case .closeProducer = request { return .none }
            guard let value = SocketIOReply.value(of: response) else { return .none }
            guard case .webRtcTransport = response else { return .value(value) }
            return .value(value.merging(membership.iceServers))
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
}
