/// The items of a TMMBR or TMMBN packet in order.
struct TemporaryMaximumBitrateList: Sequence, IteratorProtocol {
    private var reader: ByteReader

    init(_ reader: ByteReader) { self.reader = reader }

    var hasMore: Bool { reader.remaining > 0 }

    mutating func next() -> TemporaryMaximumBitrateItem? {
        guard let ssrc = try? reader.readUInt32(), let encoded = try? reader.readUInt32() else { return nil }
        // Six bits of exponent, seventeen of mantissa, nine of overhead.
        let exponent = UInt64(encoded >> 26)
        let mantissa = UInt64(encoded >> 9 & 0x1_FFFF)
        guard mantissa == 0 || exponent <= UInt64(mantissa.leadingZeroBitCount) else { return nil }
        return TemporaryMaximumBitrateItem(
            ssrc: SSRC(ssrc), bitrate: mantissa << exponent, overhead: UInt16(truncatingIfNeeded: encoded & 0x1FF))
    }
}
