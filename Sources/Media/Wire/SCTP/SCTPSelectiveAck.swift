/// SACK (RFC 9260 §3.3.4): what has arrived.
struct SCTPSelectiveAck: Hashable, Sendable {
    /// A run of numbers that arrived behind a gap, as offsets from `cumulative`, both included.
    struct Block: Hashable, Sendable {
        var start: UInt16
        var end: UInt16
    }

    /// Chunk header included.
    static let fixedLength = 16

    /// Everything up to here has arrived.
    var cumulative: TSN
    /// The receiver's window, in bytes.
    var window: UInt32
    /// As sent: overlapping and out of order, if the peer likes.
    var blocks: [Block] = []
    var duplicates: [TSN] = []

    init(cumulative: TSN, window: UInt32, blocks: [Block] = [], duplicates: [TSN] = []) {
        self.cumulative = cumulative
        self.window = window
        self.blocks = blocks
        self.duplicates = duplicates
    }

    /// - Throws: `truncated` if the numbers of blocks and duplicates are not those of the chunk's length.
    init(parsing chunk: SCTPChunkView) throws(WireError) {
        var reader = unsafe ByteReader(chunk.value)
        cumulative = TSN(try reader.readUInt32())
        window = try reader.readUInt32()
        let blockCount = Int(try reader.readUInt16())
        let duplicateCount = Int(try reader.readUInt16())
        // Before there is memory for them.
        guard reader.remaining >= 4 * (blockCount + duplicateCount) else { throw .truncated }
        blocks.reserveCapacity(blockCount)
        for _ in 0..<blockCount { blocks.append(Block(start: try reader.readUInt16(), end: try reader.readUInt16())) }
        for _ in 0..<duplicateCount { duplicates.append(TSN(try reader.readUInt32())) }
    }

    /// Its length with padding, which it never has.
    var length: Int { Self.fixedLength + 4 * (blocks.count + duplicates.count) }

    func write(into writer: inout SCTPPacketWriter) throws(WireError) {
        guard let blockCount = UInt16(exactly: blocks.count), let duplicateCount = UInt16(exactly: duplicates.count)
        else { throw .tooLarge }
        try writer.beginChunk(.selectiveAck)
        try writer.writeUInt32(cumulative.rawValue)
        try writer.writeUInt32(window)
        try writer.writeUInt16(blockCount)
        try writer.writeUInt16(duplicateCount)
        for block in blocks {
            try writer.writeUInt16(block.start)
            try writer.writeUInt16(block.end)
        }
        for duplicate in duplicates { try writer.writeUInt32(duplicate.rawValue) }
        try writer.endChunk()
    }

    /// The blocks sorted and disjoint, without those that end before they begin: a peer's are not trusted to be.
    var cleanedBlocks: [Block] {
        var isClean = true
        for (index, block) in blocks.enumerated() {
            let isBehind = index == 0 || block.start > blocks[index - 1].end
            if block.end < block.start || block.start == 0 || !isBehind { isClean = false }
        }
        if isClean { return blocks }
        var cleaned: [Block] = []
        for block in blocks.filter({ $0.start <= $0.end && $0.end > 0 }).sorted(by: { $0.start < $1.start }) {
            if let last = cleaned.last, Int(block.start) <= Int(last.end) + 1 {
                cleaned[cleaned.count - 1].end = max(last.end, block.end)
            } else {
                cleaned.append(Block(start: max(block.start, 1), end: block.end))
            }
        }
        return cleaned
    }
}
