/// One item of a TSTR or TSTN packet (RFC 5104 §4.3.2.1).
struct TradeOffItem: Hashable, Sendable {
    var ssrc: SSRC
    var sequenceNumber: UInt8
    /// 0 (sharpest pictures) … 31 (most pictures a second).
    var index: UInt8
}

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
        var reader = ByteReader(packet.payload)
        senderSSRC = SSRC(try reader.readUInt32())
        try reader.skip(4)
        guard reader.remaining > 0, reader.remaining % 8 == 0 else { throw .malformed }
        guard reader.remaining / 8 <= Self.maximumItems else { throw .tooLarge }
        items = TradeOffList(reader)
    }
}

/// The items of a TSTR or TSTN packet in order.
struct TradeOffList: Sequence, IteratorProtocol {
    private var reader: ByteReader

    fileprivate init(_ reader: ByteReader) { self.reader = reader }

    mutating func next() -> TradeOffItem? {
        guard let ssrc = try? reader.readUInt32(), let encoded = try? reader.readUInt32() else { return nil }
        return TradeOffItem(
            ssrc: SSRC(ssrc), sequenceNumber: UInt8(truncatingIfNeeded: encoded >> 24),
            index: UInt8(truncatingIfNeeded: encoded & 0x1F))
    }
}
