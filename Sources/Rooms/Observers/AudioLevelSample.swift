public import RoundhouseMedia

/// What one audio packet said of its loudness (RFC 6464). Shards hand them over in batches.
public struct AudioLevelSample: Sendable, Hashable {
    /// Whose packet it was.
    public var producer: ProducerID
    /// 0…127 in −dBov: 0 is the loudest, 127 silence.
    public var level: UInt8
    /// When it was received.
    public var time: MediaInstant

    /// A sample.
    public init(producer: ProducerID, level: UInt8, time: MediaInstant) {
        self.producer = producer
        self.level = min(level, 127)
        self.time = time
    }
}
