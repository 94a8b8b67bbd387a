/// The report blocks of a received SR or RR, read in place one after the other.
struct ReportBlockList: Sequence, IteratorProtocol {
    private var reader: ByteReader
    private(set) var count: Int

    /// - Throws: `truncated` when fewer than `count` blocks follow.
    init(_ reader: ByteReader, count: Int) throws(WireError) {
        guard reader.remaining >= count * ReportBlock.length else { throw .truncated }
        self.reader = reader
        self.count = count
    }

    mutating func next() -> ReportBlock? {
        guard count > 0 else { return nil }
        count -= 1
        return try? ReportBlock(from: &reader)
    }
}
