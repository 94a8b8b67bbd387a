/// A data consumer at one moment.
public struct DataConsumerSnapshot: Sendable, JSONRepresentable {
    /// Which data consumer.
    public var id: DataConsumerID
    /// What it consumes.
    public var dataProducerID: DataProducerID
    /// The data producer's.
    public var label: String
    /// Its channel.
    public var parameters: SCTPStreamParameters
    /// Whether its own peer paused it.
    public var isPaused: Bool
    /// What it is interested in; empty for everything.
    public var subchannels: [UInt16]
    /// Statistics entries as `getDataConsumerStats` gives them.
    public var statistics: [JSONValue]

    /// The data consumer's fields.
    public var json: JSONValue {
        .fields([
            "id": .string(id.rawValue), "dataProducerId": .string(dataProducerID.rawValue), "label": .string(label),
            "paused": .bool(isPaused), "sctpStreamParameters": parameters.json,
            "subchannels": .array(subchannels.map { .integer(Int64($0)) }), "stats": .array(statistics),
        ])
    }
}
