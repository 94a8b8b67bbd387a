/// What a peer may do in its room.
public struct PeerPermissions: OptionSet, Sendable, Hashable {
    /// The set's bits.
    public let rawValue: UInt8
    /// A set of these bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Send audio and video.
    public static let publish = PeerPermissions(rawValue: 1)
    /// Receive what others send.
    public static let subscribe = PeerPermissions(rawValue: 2)
    /// Send data.
    public static let data = PeerPermissions(rawValue: 4)
    /// Everything.
    public static let all: PeerPermissions = [.publish, .subscribe, .data]
}

/// What a peer brings with it that its client cannot change.
public struct PeerGrant: Sendable, Hashable {
    /// What it may do.
    public var permissions: PeerPermissions
    /// The name the others are shown; `nil` leaves it to the client.
    public var displayName: String?

    /// A grant.
    public init(permissions: PeerPermissions = .all, displayName: String? = nil) {
        self.permissions = permissions
        self.displayName = displayName
    }

    /// A peer that may do everything and chooses its name.
    public static let everything = PeerGrant()
}

/// A bound that a room or registry keeps; the names are labels of a metric.
public enum RoomLimit: String, Sendable, Hashable, CaseIterable {
    /// Open rooms.
    case rooms
    /// Peers of a room.
    case peersPerRoom = "peers_per_room"
    /// Transports of a peer.
    case transportsPerPeer = "transports_per_peer"
    /// Producers of a peer.
    case producersPerPeer = "producers_per_peer"
    /// Consumers of a peer.
    case consumersPerPeer = "consumers_per_peer"
}
