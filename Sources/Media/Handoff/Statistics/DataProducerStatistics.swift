/// What a data producer has received.
public struct DataProducerStatistics: Sendable {
    /// Which data producer.
    public var key: DataProducerKey
    /// Whole messages, also those that were thrown away while it was paused.
    public var messagesReceived: UInt64
    /// The application's bytes of them.
    public var bytesReceived: UInt64
    /// Messages that were not taken, since there were too many.
    public var messagesDropped: UInt64
}
