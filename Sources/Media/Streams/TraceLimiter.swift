/// Bounds how many trace events a transport's objects tell in a second: a traced stream has hundreds of packets, and
/// whoever reads them must not be flooded.
struct TraceLimiter {
    static let eventsPerSecond = 1000

    private var second: UInt64 = 0
    private var count = 0

    /// Whether one more event may be reported; a yes is counted.
    mutating func admits(at now: MediaInstant) -> Bool {
        let second = now.nanoseconds / 1_000_000_000
        if second != self.second {
            self.second = second
            count = 0
        }
        guard count < Self.eventsPerSecond else { return false }
        count += 1
        return true
    }
}

// MARK: Snapshot

extension TraceLimiter: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        second = try reader.read()
        count = try reader.readCount(atMost: Self.eventsPerSecond)
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(second)
        writer.writeCount(count)
    }
}
