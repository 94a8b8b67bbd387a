/// A peer at one moment.
public struct PeerSnapshot: Sendable, JSONRepresentable {
    /// Which peer, how it is called and what it runs.
    public var peer: PeerDescription
    /// Whether others see it.
    public var isJoined: Bool
    /// When its connection came, in milliseconds since 1970.
    public var connectedAt: Int64
    /// When the others began to see it.
    public var joinedAt: Int64?
    /// What it may do.
    public var permissions: PeerPermissions
    /// From where its signaling came, if that is known.
    public var address: String?
    /// Its transports.
    public var transports: [TransportSnapshot]
    /// The producers it is not offered because it could not decode them, and why.
    public var unsupportedProducers: [ProducerID: String] = [:]

    /// The peer's fields and its transports.
    public var json: JSONValue {
        .fields([
            "id": .string(peer.id.rawValue), "displayName": .string(peer.displayName), "device": peer.device.json,
            "joined": .bool(isJoined), "connectedAt": .integer(connectedAt),
            "joinedAt": joinedAt.map { .integer($0) }, "permissions": permissions.json,
            "address": address.map { .string($0) }, "transports": .array(transports.map(\.json)),
            "unsupportedProducers": .array(
                unsupportedProducers.sorted { $0.key.rawValue < $1.key.rawValue }.map { id, reason in
                    .object(["producerId": .string(id.rawValue), "reason": .string(reason)])
                }),
        ])
    }
}
