/// A producer's received streams.
public struct ProducerStatistics: Sendable {
    /// Which producer.
    public var key: ProducerKey
    /// The received streams, one for each encoding.
    public var streams: [ReceiveStreamStatistics] = []
    /// Packets received and not taken, since the producer sent more than it may.
    public var packetsOverLimit: UInt64 = 0

    /// No stream yet.
    public init(key: ProducerKey) { self.key = key }
}
