// Safe: the buffer is read through `ByteReader`, which checks every bound, while the caller keeps it alive.

/// RPSI: which picture a receiver wants as reference (RFC 4585 §6.3.3), read in place.
@safe struct ReferencePictureSelection {
    let senderSSRC: SSRC
    let mediaSSRC: SSRC
    let payloadType: UInt8
    /// In the codec's own form; as many as `bitCount` bits of it count.
    let picture: UnsafeRawBufferPointer
    let bitCount: Int

    /// - Throws: `malformed` when there is more padding than there are bits.
    init(parsing packet: RTCPPacketView) throws(WireError) {
        try packet.expect(.payloadFeedback, format: RTCPFeedbackFormat.referencePictureSelection)
        var reader = unsafe ByteReader(packet.payload)
        senderSSRC = SSRC(try reader.readUInt32())
        mediaSSRC = SSRC(try reader.readUInt32())
        let padding = Int(try reader.readUInt8())
        payloadType = try reader.readUInt8() & 0x7F
        unsafe picture = reader.readRemaining()
        guard unsafe padding <= 8 * picture.count else { throw .malformed }
        bitCount = unsafe 8 * picture.count - padding
    }
}
