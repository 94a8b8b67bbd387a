/// What a transport-wide numbered packet was sent for.
enum SentKind: UInt8, Sendable {
    case audio = 1
    case video = 2
    case retransmission = 3
    case padding = 4
}

// MARK: Snapshot

extension SentKind: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        guard let kind = SentKind(rawValue: try reader.readUInt8()) else { throw .malformed }
        self = kind
    }

    func write(to writer: inout SnapshotWriter) { writer.writeUInt8(rawValue) }
}
