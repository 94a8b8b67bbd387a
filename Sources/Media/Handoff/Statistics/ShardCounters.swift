/// One shard's counters since start.
public struct ShardCounters: Sendable {
    /// The shard's index.
    public var shard: Int
    /// Metric name suffix → value, in a stable order: `packets_received`, `packets_forwarded`, ….
    public var values: [(name: String, value: UInt64)]
    /// Drop reason → packets.
    public var drops: [(reason: String, count: UInt64)]
    /// Why handshakes failed → how many.
    public var handshakeFailures: [(reason: String, count: UInt64)]
    /// What was measured at reports.
    public var quality: [QualityHistogram]
    /// CPU time of the shard's thread in seconds.
    public var cpuSeconds: Double

    /// Counters of one shard.
    public init(
        shard: Int, values: [(name: String, value: UInt64)], drops: [(reason: String, count: UInt64)],
        handshakeFailures: [(reason: String, count: UInt64)] = [], quality: [QualityHistogram] = [], cpuSeconds: Double
    ) {
        self.shard = shard
        self.values = values
        self.drops = drops
        self.handshakeFailures = handshakeFailures
        self.quality = quality
        self.cpuSeconds = cpuSeconds
    }
}
