/// Clients that are kept out of rooms.
///
/// A machine: time is an argument, in milliseconds since 1970. Bans outlive their room's end, not the server's.
struct RoomBans {
    /// Bans of all rooms at a time.
    static let limit = 10_000

    private var bans: [RoomID: [RoomBan]] = [:]
    private(set) var count = 0

    /// - Throws: `RoomError` with code `limitReached`.
    mutating func add(_ ban: RoomBan, to room: RoomID, now: Int64) throws(RoomError) {
        if count >= Self.limit { forgetEnded(now) }
        guard count < Self.limit else {
            throw RoomError(
                .limitReached, "\(Self.limit) bans are in force, which is as many as there may be: lift some")
        }
        bans[room, default: []].append(ban)
        count += 1
    }

    /// Those in force, the oldest first.
    func list(of room: RoomID, now: Int64) -> [RoomBan] { (bans[room] ?? []).filter { $0.until > now } }

    /// - Returns: `false` if there is no such ban in force.
    mutating func lift(_ id: String, of room: RoomID, now: Int64) -> Bool {
        let isThere = list(of: room, now: now).contains { $0.id == id }
        keep(of: room) { $0.id != id }
        return isThere
    }

    /// The ban that keeps a client out.
    func ban(of peer: PeerID, _ claim: PeerClaim?, from room: RoomID, now: Int64) -> RoomBan? {
        guard let claim, let bans = bans[room] else { return nil }
        return bans.first { $0.until > now && $0.keepsOut(peer, claim) }
    }

    private mutating func forgetEnded(_ now: Int64) {
        for room in Array(bans.keys) { keep(of: room) { $0.until > now } }
    }

    private mutating func keep(of room: RoomID, where isKept: (RoomBan) -> Bool) {
        guard let before = bans[room] else { return }
        let kept = before.filter(isKept)
        count -= before.count - kept.count
        bans[room] = kept.isEmpty ? nil : kept
    }
}
