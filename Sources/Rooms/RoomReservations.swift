import RoundhouseMedia

/// Names of rooms that were given out, rooms that exist before their first peer, and the passwords of both.
///
/// A machine: time is an argument. A room that has a peer keeps its password until it closes.
struct RoomReservations {
    private enum Phase {
        /// The name was given to somebody.
        case reserved(until: ContinuousClock.Instant)
        /// The room exists and has had no peer yet.
        case created(until: ContinuousClock.Instant)
        case open

        func isOver(_ now: ContinuousClock.Instant) -> Bool {
            switch self {
            case .reserved(let until), .created(let until): until <= now
            case .open: false
            }
        }
    }

    private struct Entry {
        var password: Secret
        var phase: Phase
        /// What counts it for whoever had it made.
        var keeper: (any Sendable)?
    }

    /// Reserving costs a stranger nothing, so it may not cost much here.
    static let limit = 10_000
    static let timeout = Duration.seconds(600)

    private var entries: [RoomID: Entry] = [:]
    /// Those that will be over, the oldest first. Whatever is not as it says any more was used or forgotten since.
    private var order: [(id: RoomID, until: ContinuousClock.Instant)] = []
    /// Of `order` that were looked at.
    private var passed = 0

    var count: Int { entries.count }

    /// - Parameter propose: makes a name; called until it is new.
    mutating func reserve(
        password: String, keeping keeper: (any Sendable)? = nil, now: ContinuousClock.Instant,
        _ propose: () -> RoomID
    ) throws(RoomError) -> RoomID {
        try ensureCapacity(now)
        var id = propose()
        while entries[id] != nil { id = propose() }
        entries[id] = Entry(password: Secret(password), phase: .reserved(until: now + Self.timeout), keeper: keeper)
        order.append((id, now + Self.timeout))
        return id
    }

    /// - Parameter mayLock: whether a name that nobody has asked for before may get a password.
    /// - Returns: `false` if it exists.
    mutating func create(
        _ id: RoomID, password: String, mayLock: Bool = true, keeping keeper: (any Sendable)? = nil,
        now: ContinuousClock.Instant
    ) throws(RoomError) -> Bool {
        if let entry = current(id, now) {
            guard case .reserved = entry.phase else { return false }
            guard entry.password.isEmpty || entry.password.matches(Secret(password)) else {
                throw RoomError(.wrongPassword, "wrong password")
            }
            entries[id]?.phase = .created(until: now + Self.timeout)
            entries[id]?.keeper = keeper
            order.append((id, now + Self.timeout))
        } else {
            guard mayLock || password.isEmpty else {
                throw RoomError(.forbidden, "a room is locked with a token that grants admin")
            }
            try ensureCapacity(now)
            entries[id] = Entry(password: Secret(password), phase: .created(until: now + Self.timeout), keeper: keeper)
            order.append((id, now + Self.timeout))
        }
        return true
    }

    mutating func roomOpened(_ id: RoomID, now: ContinuousClock.Instant) {
        entries[id] = current(id, now)
        entries[id]?.phase = .open
        // From here on whoever is in the room is counted.
        entries[id]?.keeper = nil
    }
    mutating func roomClosed(_ id: RoomID) { entries[id] = nil }

    func isCreated(_ id: RoomID, now: ContinuousClock.Instant) -> Bool {
        switch current(id, now)?.phase {
        case .created, .open: true
        case .reserved, nil: false
        }
    }

    func needsPassword(_ id: RoomID, now: ContinuousClock.Instant) -> Bool {
        current(id, now)?.password.isEmpty == false
    }

    func admits(_ password: String, to id: RoomID, now: ContinuousClock.Instant) -> Bool {
        guard let entry = current(id, now) else { return true }
        return entry.password.isEmpty || entry.password.matches(Secret(password))
    }

    private func current(_ id: RoomID, _ now: ContinuousClock.Instant) -> Entry? {
        guard let entry = entries[id], !entry.phase.isOver(now) else { return nil }
        return entry
    }

    /// Forgets the names that nobody has used in time.
    mutating func forgetUnused(_ now: ContinuousClock.Instant) {
        while passed < order.count, order[passed].until <= now { forgetOldest() }
    }

    private mutating func ensureCapacity(_ now: ContinuousClock.Instant) throws(RoomError) {
        forgetUnused(now)
        // Whoever came first and has not used its name gives way: a crowd of names must not keep newcomers out.
        while entries.count >= Self.limit, passed < order.count { forgetOldest() }
        guard entries.count < Self.limit else {
            throw RoomError(RoomLimit.rooms, "the server has as many rooms as it takes: try again later")
        }
    }

    private mutating func forgetOldest() {
        let (id, until) = order[passed]
        passed += 1
        if passed > 1024, passed > order.count / 2 {
            order.removeFirst(passed)
            passed = 0
        }
        switch entries[id]?.phase {
        case .reserved(until), .created(until): entries[id] = nil
        case .reserved, .created, .open, nil: break
        }
    }
}
