/// How long a message is tried (RFC 7496, RFC 8832 §5.1).
enum SCTPReliability: Hashable, Sendable {
    /// Until it has arrived.
    case reliable
    /// Sent once, and so many times more at most.
    case retransmissions(UInt16)
    /// For so long after it was given to the association.
    case lifetime(MediaDuration)
}

extension SCTPReliability: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        switch try reader.readUInt8() {
        case 0: self = .reliable
        case 1: self = .retransmissions(try reader.readUInt16())
        case 2: self = .lifetime(try reader.read())
        default: throw .malformed
        }
    }

    func write(to writer: inout SnapshotWriter) {
        switch self {
        case .reliable: writer.writeUInt8(0)
        case .retransmissions(let count):
            writer.writeUInt8(1)
            writer.writeUInt16(count)
        case .lifetime(let duration):
            writer.writeUInt8(2)
            writer.write(duration)
        }
    }
}
