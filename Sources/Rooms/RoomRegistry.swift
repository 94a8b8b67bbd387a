import FoundationEssentials
public import Logging
public import RoundhouseMedia
import Synchronization

/// The rooms of one server. A room exists from its first peer's connection until its last peer has left.
public final class RoomRegistry: Sendable {
    /// What new rooms start with.
    public var configuration: RoomConfiguration { state.withLock { $0.configuration } }
    /// Whether new peers are refused, because the server stops.
    public var isDraining: Bool { state.withLock { $0.isDraining } }
    /// Where media is reached now; the index is the shard.
    public var endpoints: [ShardEndpoint] { media.endpoints }
    /// The TURN server's door to the media plane; `nil` without one.
    package var relay: MediaRelay? { media.relay }
    /// How often each limit of rooms was met.
    public let limits = LimitCounters()
    /// The rooms that have ended.
    public let history = RoomHistory()
    /// Seconds from peers' connections until media could flow.
    public let joinTimes = Histogram(bounds: [0.1, 0.25, 0.5, 1, 2, 5, 10, 30])
    /// What happens in the rooms.
    public let events: RoomEventLog
    /// What every room's router can receive.
    public let routerCapabilities: RTPCapabilities

    struct State {
        var rooms: [RoomID: Room] = [:]
        var reservations = RoomReservations()
        var plans = RoomPlans()
        var bans = RoomBans()
        var isClosed = false
        var isDraining = false
        var configuration: RoomConfiguration

        /// What a room starts with, or goes on with after the limits were exchanged.
        func configuration(of id: RoomID, now: Int64) -> RoomConfiguration {
            var own = configuration
            if let most = plans.plan(of: id, now: now)?.maximumPeers { own.maximumPeers = min(most, own.maximumPeers) }
            return own
        }

        func admits(_ password: String, to id: RoomID, now: Int64) -> Bool {
            guard let plan = plans.plan(of: id, now: now) else {
                return reservations.admits(password, to: id, now: .now)
            }
            return plan.password.isEmpty || plan.password.matches(Secret(password))
        }

        func needsPassword(_ id: RoomID, now: Int64) -> Bool {
            guard let plan = plans.plan(of: id, now: now) else { return reservations.needsPassword(id, now: .now) }
            return !plan.password.isEmpty
        }
    }

    let state: Mutex<State>
    private let media: MediaHandle
    private let logger: Logger
    let makeGenerator: @Sendable () -> any RandomNumberGenerator & Sendable

    /// - Throws: `RoomError` with code `invalidParameters` or `unsupported` when `configuration.mediaCodecs` cannot be
    ///   had.
    public convenience init(
        media: MediaHandle, configuration: RoomConfiguration = RoomConfiguration(),
        logger: Logger = Logger(label: "roundhouse.rooms")
    ) throws(RoomError) {
        try self.init(media: media, configuration: configuration, logger: logger) { SystemRandomNumberGenerator() }
    }

    /// A registry whose rooms' identifiers and credentials come from given generators.
    package init(
        media: MediaHandle, configuration: RoomConfiguration, logger: Logger,
        makeGenerator: @escaping @Sendable () -> any RandomNumberGenerator & Sendable
    ) throws(RoomError) {
        self.media = media
        state = Mutex(State(configuration: configuration))
        self.logger = logger
        self.makeGenerator = makeGenerator
        var generator = makeGenerator()
        events = RoomEventLog(epoch: UInt32.random(in: 1...UInt32.max, using: &generator))
        do {
            routerCapabilities = try ORTC.routerCapabilities(mediaCodecs: configuration.mediaCodecs)
        } catch {
            throw RoomError(error)
        }
    }

    /// Connects a peer, and makes the room if there is none. A peer of the same name is closed if the newer one's claim allows it.
    /// - Parameters:
    ///   - password: the room's, if it has one.
    ///   - grant: what the peer may do there.
    /// - Throws: `RoomError` with code `limitReached` or `wrongPassword`, `forbidden` if the name is somebody else's,
    ///   `shuttingDown` after `drain`, or `roomClosed` after `close`.
    public func connect(
        _ peerID: PeerID, to roomID: RoomID, password: String = "", grant: PeerGrant = .everything,
        consumerReplicas: Int = 0, through channel: any PeerChannel
    ) async throws(RoomError) -> (room: Room, session: PeerSession) {
        let now = Self.now()
        if let ban = state.withLock({ $0.bans.ban(of: peerID, grant.claim, from: roomID, now: now) }) {
            let minutes = (ban.until - now) / 60_000 + 1
            throw RoomError(.forbidden, "an operator keeps you out of this room for another \(minutes) min")
        }
        while true {
            guard let room = try openRoom(roomID, password) else { throw RoomError(.roomClosed, "the server stops") }
            do {
                return (
                    room,
                    try await room.connect(
                        peerID, grant: grant, consumerReplicas: consumerReplicas, through: channel)
                )
            } catch  where error.code == .roomClosed {
                // It closed after it was looked up: the next room of this name is a different one.
                remove(room)
            }
        }
    }

    /// The room of this name, made if there is none; `nil` after `close`.
    private func openRoom(_ id: RoomID, _ password: String) throws(RoomError) -> Room? {
        try limits.counting { () throws(RoomError) -> Room? in try foundOrMade(id, password) }
    }

    private func foundOrMade(_ id: RoomID, _ password: String) throws(RoomError) -> Room? {
        try state.withLock { state throws(RoomError) -> Room? in
            guard !state.isClosed else { return nil }
            guard !state.isDraining else {
                throw RoomError(.shuttingDown, "the server is stopping: try again, or another one")
            }
            let now = Self.now()
            guard state.admits(password, to: id, now: now) else {
                throw RoomError(.wrongPassword, "wrong password")
            }
            if let room = state.rooms[id] { return room }
            guard state.rooms.count < state.configuration.maximumRooms else {
                throw RoomError(
                    RoomLimit.rooms, "the server is full: it takes \(state.configuration.maximumRooms) rooms")
            }
            state.reservations.roomOpened(id, now: .now)
            state.plans.roomOpened(id, now: now)
            let room = Room(
                id: id, media: media.forRoom(), configuration: state.configuration(of: id, now: now),
                routerCapabilities: state.plans.plan(of: id, now: now)?.capabilities(of: routerCapabilities)
                    ?? routerCapabilities,
                generator: makeGenerator(), limits: limits, joinTimes: joinTimes, history: history, logger: logger,
                eventLog: events,
                wallClock: Self.now,
                onClosed: { [weak self] room in self?.remove(room) })
            state.rooms[id] = room
            return room
        }
    }

    /// Forgets a closed room, unless another one has its name.
    private func remove(_ room: Room) {
        state.withLock { state in
            guard state.rooms[room.id] === room else { return }
            state.rooms[room.id] = nil
            state.reservations.roomClosed(room.id)
            state.plans.roomClosed(room.id)
        }
    }

    /// Finds a name that no room has, nine digits long, and keeps the password for it.
    /// - Parameter keeper: kept until the name is used or forgotten.
    /// - Throws: `RoomError` with code `limitReached` while too many rooms wait for their first peers.
    public func reserveRoom(
        password: String = "", keeping keeper: (any Sendable)? = nil
    ) throws(RoomError) -> RoomID {
        var generator = makeGenerator()
        return try state.withLock { state throws(RoomError) -> RoomID in
            let open = state.rooms
            let planned = Set(state.plans.names(now: Self.now()))
            return try state.reservations.reserve(password: password, keeping: keeper, now: .now) {
                while true {
                    let id = RoomID(String(Int.random(in: 100_000_000...999_999_999, using: &generator)))
                    if open[id] == nil, !planned.contains(id) { return id }
                }
            }
        }
    }

    /// Forgets names that were reserved and not used in time, and what was kept with them.
    public func forgetUnusedNames() { state.withLock { $0.reservations.forgetUnused(.now) } }

    /// Lets a room exist before its first peer comes.
    /// - Parameters:
    ///   - mayLock: whether it may give a password to a name that was not reserved with one.
    ///   - keeper: kept until somebody comes, or nobody has.
    /// - Returns: `false` if a room of this name exists.
    /// - Throws: `RoomError` with code `wrongPassword` if the name was reserved with another password, `forbidden`, or
    ///   `limitReached`.
    public func createRoom(
        _ id: RoomID, password: String = "", mayLock: Bool = true, keeping keeper: (any Sendable)? = nil
    ) throws(RoomError) -> Bool {
        try state.withLock { state throws(RoomError) -> Bool in
            guard state.rooms[id] == nil, state.plans.plan(of: id, now: Self.now()) == nil else { return false }
            return try state.reservations.create(
                id, password: password, mayLock: mayLock, keeping: keeper, now: .now)
        }
    }

    /// Whether a room of this name exists, with or without a peer, and whether it has a password.
    public func existence(of id: RoomID) -> (exists: Bool, needsPassword: Bool) {
        state.withLock { state in
            let now = Self.now()
            let isMade = state.reservations.isCreated(id, now: .now) || state.plans.plan(of: id, now: now) != nil
            return (isMade || state.rooms[id] != nil, state.needsPassword(id, now: now))
        }
    }

    /// Whether this password opens this room, or would if it existed.
    public func isPassword(_ password: String, of id: RoomID) -> Bool {
        state.withLock { $0.admits(password, to: id, now: Self.now()) }
    }

    /// The room of this name, if it is open.
    public func room(_ id: RoomID) -> Room? { state.withLock { $0.rooms[id] } }

    /// Every room that is wanted, open or made ahead, ordered by name.
    /// - Parameter isWanted: asked of every room before they are put in order.
    public func list(where isWanted: (RoomSummary) -> Bool = { _ in true }) -> [RoomSummary] {
        let now = Self.now()
        let summaries = state.withLock { state in
            let planned = state.plans.names(now: now).filter { state.rooms[$0] == nil }
            return (Array(state.rooms.keys) + planned).compactMap { summary(of: $0, state, now) }
        }
        return summaries.filter(isWanted).sorted { $0.id.rawValue < $1.id.rawValue }
    }

    /// One line of `list()`.
    public func summary(of id: RoomID) -> RoomSummary? { state.withLock { summary(of: id, $0, Self.now()) } }

    private func summary(of id: RoomID, _ state: State, _ now: Int64) -> RoomSummary? {
        let (room, plan) = (state.rooms[id], state.plans.plan(of: id, now: now))
        guard room != nil || plan != nil else { return nil }
        return RoomSummary(
            id: id, counts: room?.published.value ?? RoomCounts(), openedAt: room?.openedAt,
            isLocked: room?.published.isLocked ?? false, needsPassword: state.needsPassword(id, now: now), plan: plan)
    }

    /// The wall clock, in milliseconds since 1970.
    @Sendable static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    /// How many rooms there are, and all their objects.
    public func totals() -> (rooms: Int, counts: RoomCounts) {
        let rooms = state.withLock { Array($0.rooms.values) }
        var counts = RoomCounts()
        for room in rooms {
            let published = room.published.value
            counts.peers += published.peers
            counts.transports += published.transports
            counts.producers += published.producers
            counts.consumers += published.consumers
        }
        return (rooms.count, counts)
    }

    /// Exchanges the limits, of rooms that are open too; what is beyond them already stays. Codecs and times stay as they are.
    public func apply(limits other: RoomConfiguration) async {
        let rooms = state.withLock { state in
            state.configuration.maximumRooms = other.maximumRooms
            state.configuration.maximumPeers = other.maximumPeers
            state.configuration.maximumTransportsPerPeer = other.maximumTransportsPerPeer
            state.configuration.maximumProducersPerPeer = other.maximumProducersPerPeer
            state.configuration.maximumDataProducersPerPeer = other.maximumDataProducersPerPeer
            state.configuration.maximumDataConsumersPerPeer = other.maximumDataConsumersPerPeer
            state.configuration.dataLimits = other.dataLimits
            state.configuration.maximumConsumersPerPeer = other.maximumConsumersPerPeer
            let now = Self.now()
            return state.rooms.values.map { ($0, state.configuration(of: $0.id, now: now)) }
        }
        for (room, configuration) in rooms { await room.limitsChanged(configuration) }
    }

    /// Takes no more peers, and notifies those that are there. Rooms go on.
    /// - Parameter seconds: after which the server will close them.
    public func drain(seconds: Int) async {
        let rooms = state.withLock { state in
            state.isDraining = true
            return Array(state.rooms.values)
        }
        for room in rooms { await room.announce(.serverDraining(seconds: seconds)) }
    }

    /// Closes every room and takes no more peers; returns when they are closed. Safe to call twice.
    public func close(_ reason: PeerCloseReason = .shutdown) async {
        let rooms = state.withLock { state in
            state.isClosed = true
            return Array(state.rooms.values)
        }
        for room in rooms { await room.close(reason) }
    }
}
