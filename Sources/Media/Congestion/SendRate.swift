/// How fast packets are sent, over half a second in buckets of 50 ms: cheap enough for every packet.
struct SendRate {
    private static let bucketNanoseconds: UInt64 = 50_000_000

    private var buckets = InlineArray<10, UInt32>(repeating: 0)
    private var position = 0
    private var endsAt: UInt64 = 0
    /// When sending began.
    private var beganAt: UInt64 = 0
    /// Bytes since the start.
    private(set) var total: UInt64 = 0

    init() {}

    @inline(__always)
    mutating func packetSent(bytes: Int, at now: MediaInstant) {
        if now.nanoseconds >= endsAt { advance(to: now) }
        buckets[position] &+= UInt32(truncatingIfNeeded: bytes)
        total &+= UInt64(truncatingIfNeeded: bytes)
    }

    /// Bits per second.
    mutating func rate(at now: MediaInstant) -> UInt64 {
        if now.nanoseconds >= endsAt { advance(to: now) }
        var sum: UInt64 = 0
        for index in buckets.indices { sum += UInt64(buckets[index]) }
        // The newest bucket is not full yet.
        let open = Int64(Self.bucketNanoseconds) - Int64(min(endsAt &- now.nanoseconds, Self.bucketNanoseconds))
        let window = 9 * Int64(Self.bucketNanoseconds) + open
        let sending = Int64(min(now.nanoseconds &- beganAt, 1 << 62))
        return Bitrate.of(
            bytes: sum, in: MediaDuration(nanoseconds: min(window, max(sending, Int64(Self.bucketNanoseconds)))))
    }

    private mutating func advance(to now: MediaInstant) {
        if endsAt == 0 { beganAt = now.nanoseconds }
        let passed = min((now.nanoseconds &- endsAt) / Self.bucketNanoseconds + 1, 10)
        for _ in 0..<passed {
            position = position == 9 ? 0 : position + 1
            buckets[position] = 0
        }
        endsAt = (now.nanoseconds / Self.bucketNanoseconds &+ 1) &* Self.bucketNanoseconds
    }
}

// MARK: Snapshot

extension SendRate: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        buckets = try reader.read()
        position = Int(try reader.read(in: 0...9 as ClosedRange<UInt8>))
        endsAt = try reader.read()
        beganAt = try reader.read()
        total = try reader.readCounter()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(buckets)
        writer.write(UInt8(truncatingIfNeeded: position))
        writer.write(endsAt)
        writer.write(beganAt)
        writer.write(total)
    }
}
