/// How a receiver tells what has arrived.
enum FeedbackKind: UInt8, Sendable {
    /// Nothing has been heard yet.
    case unknown = 0
    case transportWide = 1
    /// Its own estimate (REMB).
    case estimate = 2
    /// Receiver reports only.
    case reports = 3
}

// MARK: Snapshot

extension FeedbackKind: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        guard let kind = FeedbackKind(rawValue: try reader.readUInt8()) else { throw .malformed }
        self = kind
    }

    func write(to writer: inout SnapshotWriter) { writer.writeUInt8(rawValue) }
}
