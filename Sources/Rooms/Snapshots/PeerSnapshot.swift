/// A peer at one moment.
public struct PeerSnapshot: Sendable, JSONRepresentable {
    /// Which peer, how it is called and what it runs.
    public var peer: PeerDescription
    /// Whether others see it.
    public var isJoined: Bool
    /// Its transports.
    public var transports: [TransportSnapshot]
    /// The producers it is not offered because it could not decode them, and why.
    public var unsupportedProducers: [ProducerID: String] = [:]

    /// The peer's fields and its transports.
    public var json: JSONValue {
        .object([
            "id": .string(peer.id.rawValue), "displayName": .string(peer.displayName), "device": peer.device.json,
            "joined": .bool(isJoined), "transports": .array(transports.map(\.json)),
            "unsupportedProducers": .array(
                unsupportedProducers.sorted { $0.key.rawValue < $1.key.rawValue }.map { id, reason in
                    .object(["producerId": .string(id.rawValue), "reason": .string(reason)])
                }),
        ])
    }
}
