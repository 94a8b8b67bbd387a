/// One connection of a peer to a room: requests of a connection that was replaced by a newer one are refused.
public struct PeerSession: Sendable, Hashable {
    /// Which peer.
    public let peerID: PeerID
    /// Counts the connections of the room.
    let serial: UInt64
}
