/// A request for a limit of a sender's bitrate (TMMBR), or the answer to one (TMMBN), read in place: RFC 5104 §4.2.
struct TemporaryMaximumBitrate {
    /// As many as streams in one bundle.
    static let maximumItems = 128

    let isNotification: Bool
    let senderSSRC: SSRC
    /// May be empty for a notification only.
    let items: TemporaryMaximumBitrateList

    /// - Throws: `tooLarge` beyond `maximumItems`, `malformed` for a request without an item or a bitrate beyond 64 bits.
    init(parsing packet: RTCPPacketView) throws(WireError) {
        isNotification = packet.count == RTCPFeedbackFormat.temporaryMaximumBitrateNotification
        try packet.expect(
            .transportFeedback,
            format: isNotification
                ? RTCPFeedbackFormat.temporaryMaximumBitrateNotification : RTCPFeedbackFormat.temporaryMaximumBitrate)
        var reader = unsafe ByteReader(packet.payload)
        senderSSRC = SSRC(try reader.readUInt32())
        try reader.skip(4)
        guard reader.remaining % 8 == 0, isNotification || reader.remaining > 0 else { throw .malformed }
        guard reader.remaining / 8 <= Self.maximumItems else { throw .tooLarge }
        items = TemporaryMaximumBitrateList(reader)
        var check = items
        while check.hasMore { guard check.next() != nil else { throw .malformed } }
    }
}
