/// A tuple that connectivity checks came in on, and when its client was last heard there.
struct CheckedTuple: Sendable {
    let id: TupleID
    /// The last valid check or authenticated media packet.
    var heard: MediaInstant
    var lastCheck: MediaInstant
    /// Between the last two checks; zero before the second.
    var checkInterval = MediaDuration.zero

    init(_ id: TupleID, checkedAt now: MediaInstant) {
        self.id = id
        heard = now
        lastCheck = now
    }

    mutating func checked(at now: MediaInstant) {
        checkInterval = now - lastCheck
        lastCheck = now
        heard = now
    }
}

extension CheckedTuple: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        id = TupleID(try reader.readUInt64())
        heard = try reader.read()
        lastCheck = try reader.read()
        checkInterval = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt64(id.rawValue)
        writer.write(heard)
        writer.write(lastCheck)
        writer.write(checkInterval)
    }
}
