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
    /// Data producers of a peer.
    case dataProducersPerPeer = "data_producers_per_peer"
    /// Data consumers of a peer.
    case dataConsumersPerPeer = "data_consumers_per_peer"
}
