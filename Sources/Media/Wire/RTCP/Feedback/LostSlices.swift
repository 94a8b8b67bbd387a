/// The items of an SLI packet in order.
struct LostSlices: Sequence, IteratorProtocol {
    private var reader: ByteReader

    init(_ reader: ByteReader) { self.reader = reader }

    mutating func next() -> LostSlice? {
        guard let encoded = try? reader.readUInt32() else { return nil }
        return LostSlice(
            first: UInt16(truncatingIfNeeded: encoded >> 19), count: UInt16(truncatingIfNeeded: encoded >> 6 & 0x1FFF),
            picture: UInt8(truncatingIfNeeded: encoded & 0x3F))
    }
}
