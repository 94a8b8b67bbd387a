/// Macroblocks of one picture that a receiver cannot show (RFC 4585 §6.3.2.2).
struct LostSlice: Hashable, Sendable {
    /// The first lost macroblock, counted from 1 at the top left; 13 bits.
    var first: UInt16
    /// 13 bits.
    var count: UInt16
    /// The low six bits of the codec's picture number.
    var picture: UInt8
}

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
        var reader = ByteReader(packet.payload)
        senderSSRC = SSRC(try reader.readUInt32())
        mediaSSRC = SSRC(try reader.readUInt32())
        guard reader.remaining > 0, reader.remaining % 4 == 0 else { throw .malformed }
        guard reader.remaining / 4 <= Self.maximumItems else { throw .tooLarge }
        slices = LostSlices(reader)
    }
}

/// The items of an SLI packet in order.
struct LostSlices: Sequence, IteratorProtocol {
    private var reader: ByteReader

    fileprivate init(_ reader: ByteReader) { self.reader = reader }

    mutating func next() -> LostSlice? {
        guard let encoded = try? reader.readUInt32() else { return nil }
        return LostSlice(
            first: UInt16(truncatingIfNeeded: encoded >> 19), count: UInt16(truncatingIfNeeded: encoded >> 6 & 0x1FFF),
            picture: UInt8(truncatingIfNeeded: encoded & 0x3F))
    }
}
