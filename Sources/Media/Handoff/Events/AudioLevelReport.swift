/// One producer's sound over the interval of a batch (RFC 6464).
public struct AudioLevelReport: Sendable, Hashable {
    /// Whose sound.
    public var producer: ProducerKey
    /// Levels in −dBov, 0 (loudest) … 127 (silence): their sum over `count` packets.
    public var levelSum: UInt32
    /// Packets that carried a level; at least 1.
    public var count: UInt32
    /// The newest packet's arrival.
    public var time: MediaInstant

    /// A report.
    public init(producer: ProducerKey, levelSum: UInt32, count: UInt32, time: MediaInstant) {
        self.producer = producer
        self.levelSum = levelSum
        self.count = count
        self.time = time
    }
}
