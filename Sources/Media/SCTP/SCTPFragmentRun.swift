/// Fragments of one message that follow each other, put together.
struct SCTPFragmentRun {
    /// What a run counts beside its bytes, in bytes: about what it takes in memory with what it stands in. It bounds how
    /// many there are of them.
    static let overhead = 256

    /// The first fragment's position, and the one behind the last's: TSN of DATA, fragment number of I-DATA.
    var start: UInt32
    var end: UInt32
    /// Empty when the message is longer than any may be.
    var payload: [UInt8]
    var payloadProtocol: PayloadProtocol
    var hasFirst: Bool
    var hasLast: Bool
    var isOversize: Bool

    var isComplete: Bool { hasFirst && hasLast }
    /// What it counts in the receive window.
    var held: Int { payload.count + Self.overhead }
}

extension SCTPFragmentRun: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        start = try reader.readUInt32()
        end = try reader.readUInt32()
        payloadProtocol = try reader.read()
        hasFirst = try reader.read()
        hasLast = try reader.read()
        isOversize = try reader.read()
        payload = try reader.readBytes(Int(try reader.readUInt32()))
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt32(start)
        writer.writeUInt32(end)
        writer.write(payloadProtocol)
        writer.write(hasFirst)
        writer.write(hasLast)
        writer.write(isOversize)
        writer.writeUInt32(UInt32(clamping: payload.count))
        writer.writeBytes(payload)
    }
}
