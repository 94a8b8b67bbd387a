public import RoundhouseMedia

/// A transport's data channels at one moment.
public struct DataTransportSnapshot: Sendable, JSONRepresentable {
    /// Where its association is.
    public var state: SCTPConnectionState
    /// Its counters, if they arrived in time.
    public var statistics: DataTransportStatistics?
    /// What it receives.
    public var producers: [DataProducerSnapshot]
    /// What it sends.
    public var consumers: [DataConsumerSnapshot]

    /// The association's fields, its data producers and consumers.
    public var json: JSONValue {
        let own = JSONValue.object([
            "state": .string(state.rawValue), "dataProducers": .array(producers.map(\.json)),
            "dataConsumers": .array(consumers.map(\.json)),
        ])
        return statistics.map { $0.json.merging(own) } ?? own
    }
}
