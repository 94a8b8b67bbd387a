/// A peer at one moment.
public struct PeerSnapshot: Sendable, JSONRepresentable {
    /// Which peer, how it is called and what it runs.
    public var peer: PeerDescription
    /// Whether others see it.
    public var isJoined: Bool
    /// Its transports.
    public var transports: [TransportSnapshot]

    /// The peer's fields and its transports.
    public var json: JSONValue {
        .object([
            "id": .string(peer.id.rawValue), "displayName": .string(peer.displayName), "device": peer.device.json,
            "joined": .bool(isJoined), "transports": .array(transports.map(\.json)),
        ])
    }
}
