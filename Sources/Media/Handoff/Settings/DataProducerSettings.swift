/// What a shard needs to open a data producer.
public struct DataProducerSettings: Sendable, Hashable {
    /// The client's stream.
    public var stream: UInt16
    /// Whether its messages are thrown away at first.
    public var isPaused: Bool

    /// Settings.
    public init(stream: UInt16, isPaused: Bool = false) {
        self.stream = stream
        self.isPaused = isPaused
    }
}
