/// What the delays of packets say about a path.
public enum DelayVerdict: UInt8, Sendable {
    case normal = 0
    /// More delay than usual, not yet enough to act: nothing is raised.
    case watch = 1
    /// More is sent than the path carries.
    case overuse = 2
    /// A queue is getting shorter: nothing is raised before it is gone.
    case draining = 3
    /// A queue stands that does not depend on what is sent.
    case foreignQueue = 4
}

// MARK: Snapshot

extension DelayVerdict: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        guard let verdict = DelayVerdict(rawValue: try reader.readUInt8()) else { throw .malformed }
        self = verdict
    }

    func write(to writer: inout SnapshotWriter) { writer.writeUInt8(rawValue) }
}
