import RoundhouseMedia

/// The rooms that were made ahead.
///
/// A machine: time is an argument, in milliseconds since 1970.
struct RoomPlans {
    private struct Entry {
        var plan: RoomPlan
        /// The room has a peer: the plan goes on after its end.
        var isOpen: Bool
    }

    /// Plans at a time.
    static let limit = 10_000

    private var entries: [RoomID: Entry] = [:]

    var count: Int { entries.count }

    /// The plan of a room, if it has not ended.
    func plan(of id: RoomID, now: Int64) -> RoomPlan? {
        guard let entry = entries[id], entry.isOpen || entry.plan.until > now else { return nil }
        return entry.plan
    }

    /// - Throws: `RoomError` with code `limitReached`.
    mutating func add(_ plan: RoomPlan, for id: RoomID, now: Int64) throws(RoomError) {
        if entries.count >= Self.limit { entries = entries.filter { $0.value.isOpen || $0.value.plan.until > now } }
        guard entries.count < Self.limit || entries[id] != nil else {
            throw RoomError(
                .limitReached, "\(Self.limit) rooms are made ahead, which is as many as there may be: delete some")
        }
        entries[id] = Entry(plan: plan, isOpen: false)
    }

    /// - Returns: whether there was one.
    mutating func remove(_ id: RoomID, now: Int64) -> Bool {
        let isThere = plan(of: id, now: now) != nil
        entries[id] = nil
        return isThere
    }

    mutating func roomOpened(_ id: RoomID, now: Int64) {
        if plan(of: id, now: now) == nil { entries[id] = nil }
        entries[id]?.isOpen = true
    }

    mutating func roomClosed(_ id: RoomID) { entries[id]?.isOpen = false }

    /// Names of rooms that are planned, open or not.
    func names(now: Int64) -> [RoomID] { entries.keys.filter { plan(of: $0, now: now) != nil } }
}
