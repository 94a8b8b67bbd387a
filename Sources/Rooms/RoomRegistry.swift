import FoundationEssentials
public import Logging
public import Media
import Synchronization

/// The rooms of one server. A room exists from its first peer's connection until its last peer has left.
public final class RoomRegistry: Sendable {
    /// What new rooms start with.
    public let configuration: RoomConfiguration
    /// What every room's router can receive.
    public let routerCapabilities: RTPCapabilities

    private struct State {
        var rooms: [RoomID: Room] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())
    private let media: MediaHandle
    private let logger: Logger
    private let makeGenerator: @Sendable () -> any RandomNumberGenerator & Sendable

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
        self.configuration = configuration
        self.logger = logger
        self.makeGenerator = makeGenerator
        do {
            routerCapabilities = try ORTC.routerCapabilities(mediaCodecs: configuration.mediaCodecs)
        } catch {
            throw RoomError(error)
        }
    }

    /// Connects a peer, and makes the room where there is none. A peer of the same name is closed: the newer wins.
    /// - Throws: `RoomError` with code `limitReached`, or `roomClosed` after `close`.
    public func connect(
        _ peerID: PeerID, to roomID: RoomID, through sink: any PeerConnectionSink
    ) async throws(RoomError) -> (room: Room, session: PeerSession) {
        while true {
            guard let room = openRoom(roomID) else { throw RoomError(.roomClosed, "the server stops") }
            do {
                return (room, try await room.connect(peerID, through: sink))
            } catch  where error.code == .roomClosed {
                // It closed after it was looked up: the next one of this name is another.
                remove(room)
            }
        }
    }

    /// The room of this name, made where there is none; `nil` after `close`.
    private func openRoom(_ id: RoomID) -> Room? {
        state.withLock { state in
            guard !state.isClosed else { return nil }
            if let room = state.rooms[id] { return room }
            let room = Room(
                id: id, media: media, configuration: configuration, routerCapabilities: routerCapabilities,
                generator: makeGenerator(), logger: logger,
                wallClock: { Int64(Date().timeIntervalSince1970 * 1000) },
                onClosed: { [weak self] room in self?.remove(room) })
            state.rooms[id] = room
            return room
        }
    }

    /// Forgets a closed room, unless another one has its name.
    private func remove(_ room: Room) {
        state.withLock { state in
            if state.rooms[room.id] === room { state.rooms[room.id] = nil }
        }
    }

    /// The room of this name, if it is open.
    public func room(_ id: RoomID) -> Room? { state.withLock { $0.rooms[id] } }

    /// Every room, ordered by name.
    public func list() -> [RoomSummary] {
        let rooms = state.withLock { Array($0.rooms.values) }
        return rooms.map { RoomSummary(id: $0.id, counts: $0.published.value) }
            .sorted { $0.id.rawValue < $1.id.rawValue }
    }

    /// How many rooms there are, and all their objects.
    public func totals() -> (rooms: Int, counts: RoomCounts) {
        let summaries = list()
        var counts = RoomCounts()
        for summary in summaries {
            counts.peers += summary.counts.peers
            counts.transports += summary.counts.transports
            counts.producers += summary.counts.producers
            counts.consumers += summary.counts.consumers
        }
        return (summaries.count, counts)
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
