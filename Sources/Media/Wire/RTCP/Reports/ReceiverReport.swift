/// A receiver report (RFC 3550 §6.4.2).
struct ReceiverReport {
    let ssrc: SSRC
    /// Read in place: must not outlive the packet.
    let reportBlocks: ReportBlockList

    init(parsing packet: RTCPPacketView) throws(WireError) {
        try packet.expect(.receiverReport)
        var reader = unsafe ByteReader(packet.payload)
        ssrc = SSRC(try reader.readUInt32())
        reportBlocks = try ReportBlockList(reader, count: Int(packet.count))
    }

    /// - Parameter reportBlocks: at most 31.
    static func write(ssrc: SSRC, reportBlocks: [ReportBlock], into writer: inout ByteWriter) throws(WireError) {
        try writer.writeWhole { (writer) throws(WireError) in
            let start = try writer.beginRTCP(.receiverReport, count: reportBlocks.count)
            try writer.writeUInt32(ssrc.rawValue)
            for block in reportBlocks { try block.write(into: &writer) }
            try writer.endRTCP(start)
        }
    }
}
