/// How often in a second something may be done for the peer.
struct SCTPQuota {
    private let limit: UInt8
    private var used: UInt8 = 0
    private var since = MediaInstant(nanoseconds: 0)

    init(perSecond limit: UInt8) { self.limit = limit }

    /// Whether it may be done once more.
    mutating func take(at now: MediaInstant) -> Bool {
        if now - since >= .seconds(1) {
            since = now
            used = 0
        }
        guard used < limit else { return false }
        used += 1
        return true
    }
}

extension SCTPQuota: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        limit = try reader.readUInt8()
        used = try reader.read(in: 0...limit)
        since = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(limit)
        writer.writeUInt8(used)
        writer.write(since)
    }
}
