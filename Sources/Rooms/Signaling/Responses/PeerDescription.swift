/// A peer as others see it.
public struct PeerDescription: Sendable, Hashable, JSONRepresentable {
    /// Which peer.
    public var id: PeerID
    /// For people.
    public var displayName: String
    /// Its program.
    public var device: DeviceDescription

    /// The shape of `newPeer` and of `join`'s list.
    public var json: JSONValue {
        .object([
            "id": .string(id.rawValue), "displayName": .string(displayName), "device": device.json,
        ])
    }
}
