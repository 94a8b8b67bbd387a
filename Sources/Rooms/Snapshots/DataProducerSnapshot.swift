/// A data producer at one moment.
public struct DataProducerSnapshot: Sendable, JSONRepresentable {
    /// Which, and whose.
    public var producer: DataProducerDescription
    /// Its channel.
    public var parameters: SCTPStreamParameters?
    /// Whether its peer paused it.
    public var isPaused: Bool
    /// Statistics entries as `getDataProducerStats` gives them.
    public var statistics: [JSONValue]

    /// The data producer's fields.
    public var json: JSONValue {
        .fields([
            "id": .string(producer.id.rawValue), "label": .string(producer.label),
            "protocol": .string(producer.protocolName), "paused": .bool(isPaused),
            "sctpStreamParameters": parameters?.json, "stats": .array(statistics),
        ])
    }
}
