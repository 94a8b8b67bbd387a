public import Logging
public import Media
import Synchronization

/// The rooms of one server. A room exists from its first peer's connection until its last peer has left.
public final class RoomRegistry: Sendable {
    /// What new rooms start with.
    public let configuration: RoomConfiguration
    /// What every room's router can receive.
    public let routerCapabilities: RTPCapabilities

    /// - Throws: `RoomError` with code `invalidParameters` or `unsupported` when `configuration.mediaCodecs` cannot be
    ///   had.
    public init(
        media: MediaHandle, configuration: RoomConfiguration = RoomConfiguration(),
        logger: Logger = Logger(label: "roundhouse.rooms")
    ) throws(RoomError) {
        self.configuration = configuration
        routerCapabilities = RTPCapabilities()
    }

    /// Connects a peer, and makes the room where there is none. A peer of the same name is closed: the newer wins.
    /// - Throws: `RoomError` with code `limitReached`, or `roomClosed` after `close`.
    public func connect(
        _ peerID: PeerID, to roomID: RoomID, through sink: any PeerConnectionSink
    ) async throws(RoomError) -> (room: Room, session: PeerSession) {
        throw RoomError(.notImplemented, "rooms are being written")
    }

    /// The room of this name, if it has a peer.
    public func room(_ id: RoomID) -> Room? { nil }

    /// Every room, ordered by name.
    public func list() -> [RoomSummary] { [] }

    /// All rooms' objects, and how many rooms.
    public func totals() -> (rooms: Int, counts: RoomCounts) { (0, RoomCounts()) }

    /// Closes every room and takes no more peers; returns when they are closed. Safe to call twice.
    public func close(_ reason: PeerCloseReason = .shutdown) async {}
}
