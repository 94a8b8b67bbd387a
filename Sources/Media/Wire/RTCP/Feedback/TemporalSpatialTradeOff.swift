/// A wish for sharper or for more pictures (TSTR), or the answer to one (TSTN), read in place: RFC 5104 §4.3.2, §4.3.3.
struct TemporalSpatialTradeOff {
    /// As many as streams in one bundle.
    static let maximumItems = 128

    let isNotification: Bool
    let senderSSRC: SSRC
    let items: TradeOffList

    /// - Throws: `tooLarge` beyond `maximumItems`, `malformed` without an item.
    init(parsing packet: RTCPPacketView) throws(WireError) {
        isNotification = packet.count == RTCPFeedbackFormat.tradeOffNotification
        try packet.expect(
            .payloadFeedback,
            format: isNotification ? RTCPFeedbackFormat.tradeOffNotification : RTCPFeedbackFormat.tradeOffRequest)
        var reader = unsafe ByteReader(packet.payload)
        senderSSRC = SSRC(try reader.readUInt32())
        try reader.skip(4)
        guard reader.remaining > 0, reader.remaining % 8 == 0 else { throw .malformed }
        guard reader.remaining / 8 <= Self.maximumItems else { throw .tooLarge }
        items = TradeOffList(reader)
    }
}
