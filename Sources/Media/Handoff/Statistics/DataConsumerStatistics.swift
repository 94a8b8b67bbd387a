/// What a data consumer was sent.
public struct DataConsumerStatistics: Sendable {
    /// Which data consumer.
    public var key: DataConsumerKey
    /// Messages that were queued for its client.
    public var messagesSent: UInt64
    /// The application's bytes of them.
    public var bytesSent: UInt64
    /// Messages that were dropped, since too much waits already.
    public var messagesDropped: UInt64
    /// What waits on its stream, in bytes.
    public var bufferedAmount: Int
}
