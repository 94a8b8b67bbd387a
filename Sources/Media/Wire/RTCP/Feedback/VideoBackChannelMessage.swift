// Safe: the buffer is read through `ByteReader`, which checks every bound, while the caller keeps it alive.

/// VBCM: the first message of a codec's own back channel (RFC 5104 §4.3.4), read in place.
@safe struct VideoBackChannelMessage {
    let senderSSRC: SSRC
    /// The stream it is about.
    let ssrc: SSRC
    let sequenceNumber: UInt8
    let payloadType: UInt8
    let content: UnsafeRawBufferPointer

    /// - Throws: `truncated` where the content is shorter than it says.
    init(parsing packet: RTCPPacketView) throws(WireError) {
        try packet.expect(.payloadFeedback, format: RTCPFeedbackFormat.videoBackChannel)
        var reader = unsafe ByteReader(packet.payload)
        senderSSRC = SSRC(try reader.readUInt32())
        try reader.skip(4)
        ssrc = SSRC(try reader.readUInt32())
        sequenceNumber = try reader.readUInt8()
        payloadType = try reader.readUInt8() & 0x7F
        unsafe content = try unsafe reader.readBytes(Int(try reader.readUInt16()))
    }
}
