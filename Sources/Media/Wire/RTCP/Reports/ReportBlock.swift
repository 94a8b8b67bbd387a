/// What a receiver says about one source in an SR or RR (RFC 3550 §6.4.1).
struct ReportBlock: Hashable, Sendable {
    static let length = 24

    var ssrc: SSRC
    /// The share lost since the last report, in 1/256.
    var fractionLost: UInt8
    /// 24 bits signed on the wire: −8388608…8388607.
    var cumulativeLost: Int32
    /// The highest sequence number received, with the count of cycles in the upper half.
    var highestSequence: UInt32
    /// In units of the RTP clock.
    var jitter: UInt32
    /// The compact NTP time of the last SR; zero if there was none.
    var lastSenderReport: UInt32
    /// Since then, in 1/65536 s.
    var delaySinceLastSenderReport: UInt32

    init(
        ssrc: SSRC, fractionLost: UInt8 = 0, cumulativeLost: Int32 = 0, highestSequence: UInt32 = 0, jitter: UInt32 = 0,
        lastSenderReport: UInt32 = 0, delaySinceLastSenderReport: UInt32 = 0
    ) {
        self.ssrc = ssrc
        self.fractionLost = fractionLost
        self.cumulativeLost = cumulativeLost
        self.highestSequence = highestSequence
        self.jitter = jitter
        self.lastSenderReport = lastSenderReport
        self.delaySinceLastSenderReport = delaySinceLastSenderReport
    }

    init(from reader: inout ByteReader) throws(WireError) {
        ssrc = SSRC(try reader.readUInt32())
        fractionLost = try reader.readUInt8()
        cumulativeLost = Int32(bitPattern: try reader.readUInt24() << 8) >> 8
        highestSequence = try reader.readUInt32()
        jitter = try reader.readUInt32()
        lastSenderReport = try reader.readUInt32()
        delaySinceLastSenderReport = try reader.readUInt32()
    }

    func write(into writer: inout ByteWriter) throws(WireError) {
        try writer.writeUInt32(ssrc.rawValue)
        try writer.writeUInt8(fractionLost)
        let lost = min(max(cumulativeLost, -0x80_0000), 0x7F_FFFF)
        try writer.writeUInt24(UInt32(bitPattern: lost))
        try writer.writeUInt32(highestSequence)
        try writer.writeUInt32(jitter)
        try writer.writeUInt32(lastSenderReport)
        try writer.writeUInt32(delaySinceLastSenderReport)
    }
}
