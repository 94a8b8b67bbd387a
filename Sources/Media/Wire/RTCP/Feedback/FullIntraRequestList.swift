/// The items of a FIR packet in order.
struct FullIntraRequestList: Sequence, IteratorProtocol {
    private var reader: ByteReader

    init(_ reader: ByteReader) { self.reader = reader }

    mutating func next() -> FullIntraRequestItem? {
        guard let ssrc = try? reader.readUInt32(), let number = try? reader.readUInt8(), (try? reader.skip(3)) != nil
        else { return nil }
        return FullIntraRequestItem(ssrc: SSRC(ssrc), sequenceNumber: number)
    }
}
