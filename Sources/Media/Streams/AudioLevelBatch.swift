/// The audio levels (RFC 6464) of one received stream since the last batch.
struct AudioLevelBatch {
    /// Between two batches of a shard.
    static let interval = MediaDuration.milliseconds(100)

    private var sum: UInt32 = 0
    private var count: UInt32 = 0
    private var newest = MediaInstant(nanoseconds: 0)

    var isEmpty: Bool { count == 0 }

    mutating func add(_ level: AudioLevel, at now: MediaInstant) {
        sum &+= UInt32(level.level)
        count &+= 1
        newest = now
    }

    /// What was gathered, and an empty batch for what comes; `nil` without a packet.
    mutating func take(for producer: ProducerKey) -> AudioLevelReport? {
        guard count > 0 else { return nil }
        defer { self = AudioLevelBatch() }
        return AudioLevelReport(producer: producer, levelSum: sum, count: count, time: newest)
    }
}

// MARK: Snapshot

extension AudioLevelBatch: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        sum = try reader.read()
        count = try reader.read()
        newest = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(sum)
        writer.write(count)
        writer.write(newest)
    }
}
