/// What kind of loss a path has.
public enum LossClass: UInt8, Sendable {
    case none = 0
    /// Packets are lost however much is sent: sending less would not help.
    case random = 1
    /// Packets are lost because too much is sent.
    case congestion = 2
    /// What exceeds a rate is dropped without any queue.
    case policer = 3
}

// MARK: Snapshot

extension LossClass: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        guard let kind = LossClass(rawValue: try reader.readUInt8()) else { throw .malformed }
        self = kind
    }

    func write(to writer: inout SnapshotWriter) { writer.writeUInt8(rawValue) }
}
