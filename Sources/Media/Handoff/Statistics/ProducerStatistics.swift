/// A producer's received streams.
public struct ProducerStatistics: Sendable {
    /// Which producer.
    public var key: ProducerKey
    /// The received streams, one for each encoding.
    public var streams: [ReceiveStreamStatistics] = []

    /// No stream yet.
    public init(key: ProducerKey) { self.key = key }
}
