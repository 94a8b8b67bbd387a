/// A sent packet as the history remembers it: eight bytes.
struct SentPacket: Equatable {
    enum State: UInt8 {
        /// A number that was passed over.
        case absent = 0
        case inFlight = 1
        case reportedLost = 2
        case received = 3
    }

    /// When, in units of 2^14 ns (16 µs), on a circle of 19 hours.
    var sentAt: UInt32 = 0
    /// Bytes on the wire.
    var size: UInt16 = 0
    var state = State.absent
    /// How long the packet waits behind its own transport's packets if the path carries what it is believed to, in 2 ms.
    var ownQueue: UInt8 = 0
}

// MARK: Snapshot

extension SentPacket: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        sentAt = try reader.read()
        size = try reader.read()
        guard let state = State(rawValue: try reader.readUInt8()) else { throw .malformed }
        self.state = state
        ownQueue = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(sentAt)
        writer.write(size)
        writer.writeUInt8(state.rawValue)
        writer.write(ownQueue)
    }
}
