/// A chunk that was sent and is not known to have arrived in order.
struct SCTPOutstandingChunk {
    enum State: UInt8 {
        case inFlight = 0
        /// By a gap block: it counts as arrived until an acknowledgement says otherwise.
        case acked
        /// To be sent again.
        case lost
        /// Not to be sent again: FORWARD-TSN covers it.
        case abandoned
    }

    var message: Int32
    /// Where its bytes begin in the message.
    var offset: UInt32
    var length: UInt16
    var fragment: UInt32
    /// Of a whole message's beginning and end.
    var flags: SCTPDataHeader.Flags
    var state = State.inFlight
    /// Packets behind it that have arrived.
    var misses: UInt8 = 0
    /// Only the retransmission timer sends it once more.
    var wasFastRetransmitted = false
    var transmissions: UInt16 = 1
    var sentAt: MediaInstant

    /// What it takes of the congestion window.
    func wireLength(_ header: Int) -> Int { header + ((Int(length) + 3) & ~3) }
}

extension SCTPOutstandingChunk: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        message = Int32(bitPattern: try reader.readUInt32())
        offset = try reader.readUInt32()
        length = try reader.read(in: 0...16_384)
        fragment = try reader.readUInt32()
        flags = SCTPDataHeader.Flags(rawValue: try reader.readUInt8())
        guard let state = State(rawValue: try reader.readUInt8()) else { throw .malformed }
        self.state = state
        misses = try reader.read(in: 0...200)
        wasFastRetransmitted = try reader.read()
        transmissions = try reader.readUInt16()
        sentAt = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt32(UInt32(bitPattern: message))
        writer.writeUInt32(offset)
        writer.writeUInt16(length)
        writer.writeUInt32(fragment)
        writer.writeUInt8(flags.rawValue)
        writer.writeUInt8(state.rawValue)
        writer.writeUInt8(misses)
        writer.write(wasFastRetransmitted)
        writer.writeUInt16(transmissions)
        writer.write(sentAt)
    }
}
