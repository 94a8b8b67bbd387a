/// The items of a TSTR or TSTN packet in order.
struct TradeOffList: Sequence, IteratorProtocol {
    private var reader: ByteReader

    init(_ reader: ByteReader) { self.reader = reader }

    mutating func next() -> TradeOffItem? {
        guard let ssrc = try? reader.readUInt32(), let encoded = try? reader.readUInt32() else { return nil }
        return TradeOffItem(
            ssrc: SSRC(ssrc), sequenceNumber: UInt8(truncatingIfNeeded: encoded >> 24),
            index: UInt8(truncatingIfNeeded: encoded & 0x1F))
    }
}
