extension ICELiteAgent.State: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        switch try reader.readUInt8() {
        case 1: self = .new
        case 2: self = .live(try reader.read())
        case 3: self = .pathless(isNominated: try reader.read(), until: try reader.read())
        case 4: self = .disconnected
        case 5: self = .closed
        default: throw .malformed
        }
    }

    func write(to writer: inout SnapshotWriter) {
        switch self {
        case .new: writer.writeUInt8(1)
        case .live(let live):
            writer.writeUInt8(2)
            writer.write(live)
        case .pathless(let isNominated, let until):
            writer.writeUInt8(3)
            writer.write(isNominated)
            writer.write(until)
        case .disconnected: writer.writeUInt8(4)
        case .closed: writer.writeUInt8(5)
        }
    }
}

extension ICELiteAgent.Live: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        tuples = try reader.read()
        isNominated = try reader.read()
        nomination = try reader.readOptional()
        consentDeadline = try reader.readOptional()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(tuples)
        writer.write(isNominated)
        writer.writeOptional(nomination)
        writer.writeOptional(consentDeadline)
    }
}

extension ICELiteAgent.LocalCredentials: Restorable {
    /// RFC 8839 §5.4.
    private static let longestFragment = 256

    init(restoring reader: inout SnapshotReader) throws(WireError) {
        usernameFragment = try reader.readText(atMost: Self.longestFragment)
        key = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeText(usernameFragment)
        writer.write(key)
    }
}
