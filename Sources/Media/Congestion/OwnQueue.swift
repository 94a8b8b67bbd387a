/// How long packets have to wait behind those of their own transport, if the path carries what it is believed to:
/// a bucket that leaks at that rate.
struct OwnQueue {
    /// Bytes per 2^20 ns, times 2^20.
    private var bytesPerUnit: UInt64 = 1 << 20
    /// Units of 2 ms per byte, times 2^32.
    private var waitPerByte: UInt64 = 0
    /// Bytes times 2^20.
    private var backlog: UInt64 = 0
    private var updatedAt: UInt64 = 0

    init() {}

    mutating func setRate(_ rate: UInt64) {
        let rate = min(max(rate, 10_000), Bitrate.largest)
        // bits/s × 2^20 ns ÷ 8 bits ÷ 10^9 ns, times 2^20.
        bytesPerUnit = rate * (1 << 20) / 7_629
        waitPerByte = (4_000 << 32) / rate
    }

    /// - Returns: the packet's wait before it is sent, in units of 2 ms.
    @inline(__always)
    mutating func packetSent(size: Int, at now: MediaInstant) -> UInt8 {
        let elapsed = min((now.nanoseconds &- updatedAt) >> 20, 1 << 12)
        // The rest of a unit is kept for the next packet.
        updatedAt &+= elapsed << 20
        if elapsed == 1 << 12 { updatedAt = now.nanoseconds }
        let leaked = elapsed &* bytesPerUnit
        backlog = backlog > leaked ? backlog &- leaked : 0
        let wait = ((backlog >> 20) &* waitPerByte) >> 32
        // At most a quarter of a second: it has to end soon after what was too much has ended.
        backlog = min(backlog &+ UInt64(UInt16(clamping: size)) << 20, bytesPerUnit << 8)
        return UInt8(truncatingIfNeeded: min(wait, 255))
    }
}

// MARK: Snapshot

extension OwnQueue: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        bytesPerUnit = try reader.read(in: 0...1 << 48)
        waitPerByte = try reader.read(in: 0...1 << 34)
        backlog = try reader.read(in: 0...1 << 50)
        updatedAt = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(bytesPerUnit)
        writer.write(waitPerByte)
        writer.write(backlog)
        writer.write(updatedAt)
    }
}
