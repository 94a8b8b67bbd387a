/// What a probe is at.
enum ProbePhase: UInt8, Sendable {
    case idle = 0
    /// A short train of packets at the rate that is tried.
    case train = 1
    /// The train is sent, its reports are awaited.
    case trainSent = 2
    /// The rate is held for longer.
    case hold = 3
    case holdSent = 4
}

// MARK: Snapshot

extension ProbePhase: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        guard let phase = ProbePhase(rawValue: try reader.readUInt8()) else { throw .malformed }
        self = phase
    }

    func write(to writer: inout SnapshotWriter) { writer.writeUInt8(rawValue) }
}
