/// Packets that were sent within a few milliseconds of each other and have arrived.
struct PacketGroup: Equatable {
    var firstSentAt = MediaInstant(nanoseconds: 0)
    var lastSentAt = MediaInstant(nanoseconds: 0)
    /// On the timeline of arrivals, in nanoseconds.
    var lastArrivedAt: Int64 = 0
    var bytes: UInt64 = 0
}

// MARK: Snapshot

extension PacketGroup: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        firstSentAt = try reader.read()
        lastSentAt = try reader.read()
        lastArrivedAt = try reader.read()
        bytes = try reader.readCounter()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(firstSentAt)
        writer.write(lastSentAt)
        writer.write(lastArrivedAt)
        writer.write(bytes)
    }
}
