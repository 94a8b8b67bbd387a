/// A sender report (RFC 3550 §6.4.1).
struct SenderReport: Hashable, Sendable {
    var ssrc: SSRC
    var ntp: NTPTimestamp
    /// The same instant as `ntp` on the stream's RTP clock.
    var rtpTimestamp: RTPTimestamp
    var packetCount: UInt32
    var octetCount: UInt32

    init(ssrc: SSRC, ntp: NTPTimestamp, rtpTimestamp: RTPTimestamp, packetCount: UInt32, octetCount: UInt32) {
        self.ssrc = ssrc
        self.ntp = ntp
        self.rtpTimestamp = rtpTimestamp
        self.packetCount = packetCount
        self.octetCount = octetCount
    }

    /// Parses the sender's part; `reportBlocks(in:)` reads the rest.
    init(parsing packet: RTCPPacketView) throws(WireError) {
        try packet.expect(.senderReport)
        var reader = unsafe ByteReader(packet.payload)
        ssrc = SSRC(try reader.readUInt32())
        ntp = NTPTimestamp(rawValue: try reader.readUInt64())
        rtpTimestamp = RTPTimestamp(try reader.readUInt32())
        packetCount = try reader.readUInt32()
        octetCount = try reader.readUInt32()
    }

    static func reportBlocks(in packet: RTCPPacketView) throws(WireError) -> ReportBlockList {
        try packet.expect(.senderReport)
        var reader = unsafe ByteReader(packet.payload)
        try reader.skip(24)
        return try ReportBlockList(reader, count: Int(packet.count))
    }

    /// - Parameter reportBlocks: at most 31.
    func write(into writer: inout ByteWriter, reportBlocks: [ReportBlock] = []) throws(WireError) {
        try writer.writeWhole { (writer) throws(WireError) in
            let start = try writer.beginRTCP(.senderReport, count: reportBlocks.count)
            try writer.writeUInt32(ssrc.rawValue)
            try writer.writeUInt64(ntp.rawValue)
            try writer.writeUInt32(rtpTimestamp.rawValue)
            try writer.writeUInt32(packetCount)
            try writer.writeUInt32(octetCount)
            for block in reportBlocks { try block.write(into: &writer) }
            try writer.endRTCP(start)
        }
    }
}
