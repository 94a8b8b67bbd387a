/// What a sender tells a receiver so that it can compute the round-trip time (RFC 3611 §4.5).
struct DLRRItem: Hashable, Sendable {
    var ssrc: SSRC
    /// The compact NTP time of the last RRTR; zero if there was none.
    var lastReceiverReport: UInt32
    /// Since then, in 1/65536 s.
    var delay: UInt32

    init(ssrc: SSRC, lastReceiverReport: UInt32, delay: UInt32) {
        self.ssrc = ssrc
        self.lastReceiverReport = lastReceiverReport
        self.delay = delay
    }

    init(from reader: inout ByteReader) throws(WireError) {
        ssrc = SSRC(try reader.readUInt32())
        lastReceiverReport = try reader.readUInt32()
        delay = try reader.readUInt32()
    }

    func write(into writer: inout ByteWriter) throws(WireError) {
        try writer.writeUInt32(ssrc.rawValue)
        try writer.writeUInt32(lastReceiverReport)
        try writer.writeUInt32(delay)
    }
}
