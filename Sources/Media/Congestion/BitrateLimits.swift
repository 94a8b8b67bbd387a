/// What bounds the estimate of a receiver's bandwidth from outside, in bits per second.
struct BitrateLimits: Equatable, Sendable {
    /// What a new path is believed to carry before anything has been measured.
    var start: UInt64 = 600_000
    /// The estimate never falls below it; `nil`: 30 kb/s, or `maximum` if that is less.
    var minimum: UInt64?
    /// The estimate never rises above it.
    var maximum: UInt64?
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
