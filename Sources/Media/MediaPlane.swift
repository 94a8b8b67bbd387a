/// The media plane of one process: its shards, their sockets and threads, and the certificate they share.
///
/// Open it, take a handle for each room, close it at the end.
public final class MediaPlane: Sendable {
    public let handle: MediaHandle

    /// Binds every shard's sockets and makes or reads the certificate. Nothing runs until `start`.
    /// - Throws: `MediaError` with code `system`, `certificate` or `invalidSetting`, naming the setting to change.
    public init(configuration: MediaConfiguration) throws(MediaError) {
        throw MediaError(.invalidSetting, "the shards are being written")
    }

    /// Starts the shards' threads.
    public func start() {}

    /// Stops the threads and closes the sockets; returns when they have ended. Safe to call twice.
    public func close() async {}

    /// Counters of every shard, summed by the caller as needed.
    public func counters() -> [ShardCounters] { [] }
}

/// One shard's counters since start.
public struct ShardCounters: Sendable {
    public var shard: Int
    /// Metric name suffix → value, in a stable order: `packets_received`, `packets_forwarded`, ….
    public var values: [(name: String, value: UInt64)]
    /// Drop reason → packets.
    public var drops: [(reason: String, count: UInt64)]
    /// CPU time of the shard's thread in seconds.
    public var cpuSeconds: Double

    public init(
        shard: Int, values: [(name: String, value: UInt64)], drops: [(reason: String, count: UInt64)],
        cpuSeconds: Double
    ) {
        self.shard = shard
        self.values = values
        self.drops = drops
        self.cpuSeconds = cpuSeconds
    }
}
