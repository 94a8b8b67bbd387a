/// A request for a key frame of one stream (RFC 4585 §6.3.1).
struct PictureLossIndication: Hashable, Sendable {
    var senderSSRC: SSRC
    var mediaSSRC: SSRC

    init(senderSSRC: SSRC, mediaSSRC: SSRC) {
        self.senderSSRC = senderSSRC
        self.mediaSSRC = mediaSSRC
    }

    init(parsing packet: RTCPPacketView) throws(WireError) {
        try packet.expect(.payloadFeedback, format: RTCPFeedbackFormat.pictureLossIndication)
        var reader = unsafe ByteReader(packet.payload)
        senderSSRC = SSRC(try reader.readUInt32())
        mediaSSRC = SSRC(try reader.readUInt32())
    }

    func write(into writer: inout ByteWriter) throws(WireError) {
        try writer.writeWhole { (writer) throws(WireError) in
            let start = try writer.beginRTCP(.payloadFeedback, count: Int(RTCPFeedbackFormat.pictureLossIndication))
            try writer.writeUInt32(senderSSRC.rawValue)
            try writer.writeUInt32(mediaSSRC.rawValue)
            try writer.endRTCP(start)
        }
    }
}
