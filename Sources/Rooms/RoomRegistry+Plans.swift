import RoundhouseMedia
import Synchronization

extension RoomRegistry {
    /// What a room can receive: an open one, one that was made ahead, or any other that would be opened now.
    public func routerCapabilities(of id: RoomID) -> RTPCapabilities {
        if let room = room(id) { return room.routerCapabilities }
        let plan = state.withLock { $0.plans.plan(of: id, now: Self.now()) }
        return plan?.capabilities(of: routerCapabilities) ?? routerCapabilities
    }

    /// Makes a room ahead of its first peer.
    /// - Parameter id: `nil` for a name of nine digits that no room has.
    /// - Returns: its name; `nil` if a room of this name exists.
    /// - Throws: `RoomError` with code `unsupported` for a codec that the server has not, or `limitReached`.
    public func plan(_ plan: RoomPlan, for id: RoomID?) throws(RoomError) -> RoomID? {
        let known = Set(routerCapabilities.codecs.map { $0.mimeType.lowercased() }.filter { !$0.hasSuffix("/rtx") })
        if let other = plan.codecs.subtracting(known).min() {
            throw RoomError(
                .unsupported, "codecs: \(other) is none of the server's: \(known.sorted().joined(separator: ", "))")
        }
        var generator = makeGenerator()
        return try state.withLock { state throws(RoomError) -> RoomID? in
            let now = Self.now()
            func isTaken(_ id: RoomID) -> Bool {
                state.rooms[id] != nil || state.plans.plan(of: id, now: now) != nil
                    || state.reservations.isCreated(id, now: .now)
            }
            var chosen = id ?? RoomID(String(Int.random(in: 100_000_000...999_999_999, using: &generator)))
            while id == nil, isTaken(chosen) {
                chosen = RoomID(String(Int.random(in: 100_000_000...999_999_999, using: &generator)))
            }
            guard !isTaken(chosen) else { return nil }
            try state.plans.add(plan, for: chosen, now: now)
            return chosen
        }
    }

    /// Forgets what was planned for a room; one that is open goes on without.
    /// - Returns: whether there was a plan.
    public func forgetPlan(of id: RoomID) -> Bool { state.withLock { $0.plans.remove(id, now: Self.now()) } }

    // MARK: Bans

    /// Keeps a peer's client out of its room, and sends it away.
    /// - Parameter seconds: for how long.
    /// - Returns: `nil` if there is no such peer.
    /// - Throws: `RoomError` with code `wrongState` if nothing is known by which the client could be recognized, or
    ///   `limitReached`.
    public func ban(_ peer: PeerID, from room: Room, seconds: Int) async throws(RoomError) -> RoomBan? {
        guard let (description, claim) = await room.identity(of: peer) else { return nil }
        switch claim {
        case nil, .address("")?:
            throw RoomError(.wrongState, "nothing is known by which this client could be recognized: remove it instead")
        case .token?, .address?: break
        }
        guard let claim else { return nil }
        let now = Self.now()
        var generator = makeGenerator()
        let ban = RoomBan(
            id: String(UInt64.random(in: UInt64.min...UInt64.max, using: &generator), radix: 16), peerID: peer,
            displayName: description.displayName, until: now + Int64(seconds) * 1000, claim: claim)
        try state.withLock { state throws(RoomError) in try state.bans.add(ban, to: room.id, now: now) }
        _ = await room.kick(peer, .banned)
        return ban
    }

    /// The bans in force.
    public func bans(of room: RoomID) -> [RoomBan] { state.withLock { $0.bans.list(of: room, now: Self.now()) } }

    /// - Returns: `false` if there is no such ban in force.
    public func liftBan(_ id: String, of room: RoomID) -> Bool {
        state.withLock { $0.bans.lift(id, of: room, now: Self.now()) }
    }
}
