/// How loud a peer is.
public struct PeerVolume: Sendable, Hashable, JSONRepresentable {
    /// Which peer.
    public var peerID: PeerID
    /// −127…0 dBov.
    public var volume: Int

    /// `peerId` and `volume`.
    public var json: JSONValue {
        .object(["peerId": .string(peerID.rawValue), "volume": .integer(Int64(volume))])
    }
}
