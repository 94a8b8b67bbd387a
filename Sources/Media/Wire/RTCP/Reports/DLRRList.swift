/// The items of a DLRR block, read in place one after the other.
struct DLRRList: Sequence, IteratorProtocol {
    private var reader: ByteReader

    init(_ reader: ByteReader) { self.reader = reader }

    mutating func next() -> DLRRItem? {
        reader.remaining > 0 ? try? DLRRItem(from: &reader) : nil
    }
}
