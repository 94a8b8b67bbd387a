/// A data producer as those who make their consumers themselves learn of it.
public struct DataProducerDescription: Sendable, Hashable, JSONRepresentable {
    /// Which data producer.
    public var id: DataProducerID
    /// Whose; `nil` for the room's own.
    public var peerID: PeerID?
    /// Its name.
    public var label: String
    /// What is spoken on it.
    public var protocolName: String

    /// Its fields.
    public var json: JSONValue {
        .fields([
            "dataProducerId": .string(id.rawValue), "peerId": peerID.map { .string($0.rawValue) },
            "label": .string(label), "protocol": .string(protocolName),
        ])
    }
}
