/// What bounds the estimate of a receiver's bandwidth from outside, in bits per second.
public struct BitrateLimits: Equatable, Sendable {
    /// What a new path is believed to carry before anything has been measured.
    public var start: UInt64 = 600_000
    /// The estimate never falls below it; `nil`: 30 kb/s, or `maximum` if that is less.
    public var minimum: UInt64?
    /// The estimate never rises above it.
    public var maximum: UInt64?

    /// Limits.
    public init(start: UInt64 = 600_000, minimum: UInt64? = nil, maximum: UInt64? = nil) {
        self.start = start
        self.minimum = minimum
        self.maximum = maximum
    }
}

// MARK: Snapshot

extension BitrateLimits: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        start = try reader.read()
        minimum = try reader.readOptional()
        maximum = try reader.readOptional()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(start)
        writer.writeOptional(minimum)
        writer.writeOptional(maximum)
    }
}
