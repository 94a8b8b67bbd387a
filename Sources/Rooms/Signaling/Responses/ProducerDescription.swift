public import RoundhouseMedia

/// A producer as others see it.
public struct ProducerDescription: Sendable, Hashable, JSONRepresentable {
    /// Which producer.
    public var id: ProducerID
    /// Whose it is.
    public var peerID: PeerID
    /// Audio or video.
    public var kind: MediaKind

    /// Id, peer and kind.
    public var json: JSONValue {
        .object([
            "id": .string(id.rawValue), "peerId": .string(peerID.rawValue), "kind": .string(kind.rawValue),
        ])
    }
}
