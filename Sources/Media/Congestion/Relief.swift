/// How urgently what is sent has to shrink.
enum Relief: UInt8, Comparable, Sendable {
    case none = 0
    /// Congestion is seen: whatever exceeds the budget keeps to its base layer in time.
    case temporal = 1
    /// The queue is long, much is lost, or nothing is heard: videos pause, the least important first, until the rest fits.
    case pause = 2
    /// Nothing has been heard for so long that only audio is worth a try.
    case audioOnly = 3

    static func < (a: Relief, b: Relief) -> Bool { a.rawValue < b.rawValue }
}

// MARK: Snapshot

extension Relief: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        guard let relief = Relief(rawValue: try reader.readUInt8()) else { throw .malformed }
        self = relief
    }

    func write(to writer: inout SnapshotWriter) { writer.writeUInt8(rawValue) }
}
