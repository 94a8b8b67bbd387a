/// Requests for key frames of streams (RFC 5104 §4.3.1), read in place.
struct FullIntraRequest {
    /// At most this many items are accepted: more streams than one client receives in one bundle.
    static let maximumItems = 128

    let senderSSRC: SSRC
    /// Not used by FIR; zero by the RFC, but some send the stream here.
    let mediaSSRC: SSRC
    let items: FullIntraRequestList

    /// - Throws: `tooLarge` beyond `maximumItems`, `malformed` without an item.
    init(parsing packet: RTCPPacketView) throws(WireError) {
        try packet.expect(.payloadFeedback, format: RTCPFeedbackFormat.fullIntraRequest)
        var reader = unsafe ByteReader(packet.payload)
        senderSSRC = SSRC(try reader.readUInt32())
        mediaSSRC = SSRC(try reader.readUInt32())
        guard reader.remaining >= 8, reader.remaining % 8 == 0 else { throw .malformed }
        guard reader.remaining / 8 <= Self.maximumItems else { throw .tooLarge }
        items = FullIntraRequestList(reader)
    }

    static func write(
        senderSSRC: SSRC, items: [FullIntraRequestItem], into writer: inout ByteWriter
    ) throws(WireError) {
        guard !items.isEmpty else { throw .malformed }
        try writer.writeWhole { (writer) throws(WireError) in
            let start = try writer.beginRTCP(.payloadFeedback, count: Int(RTCPFeedbackFormat.fullIntraRequest))
            try writer.writeUInt32(senderSSRC.rawValue)
            try writer.writeUInt32(0)
            for item in items {
                try writer.writeUInt32(item.ssrc.rawValue)
                try writer.writeUInt8(item.sequenceNumber)
                try writer.writeUInt24(0)
            }
            try writer.endRTCP(start)
        }
    }
}
