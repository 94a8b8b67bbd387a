/// SLI, read in place (RFC 4585 §6.3.2).
struct SliceLossIndication {
    /// At most this many items are accepted.
    static let maximumItems = 256

    let senderSSRC: SSRC
    let mediaSSRC: SSRC
    let slices: LostSlices

    /// - Throws: `tooLarge` beyond `maximumItems`, `malformed` without an item.
    init(parsing packet: RTCPPacketView) throws(WireError) {
        try packet.expect(.payloadFeedback, format: RTCPFeedbackFormat.sliceLossIndication)
        var reader = unsafe ByteReader(packet.payload)
        senderSSRC = SSRC(try reader.readUInt32())
        mediaSSRC = SSRC(try reader.readUInt32())
        guard reader.remaining > 0, reader.remaining % 4 == 0 else { throw .malformed }
        guard reader.remaining / 4 <= Self.maximumItems else { throw .tooLarge }
        slices = LostSlices(reader)
    }
}
