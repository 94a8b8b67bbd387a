/// FORWARD-TSN (RFC 3758 §3.2) and I-FORWARD-TSN (RFC 8260 §2.3.1): what the sender has given up.
struct SCTPForwardTSN: Hashable, Sendable {
    /// The last message that is skipped on a stream.
    struct Skipped: Hashable, Sendable {
        var stream: UInt16
        /// Only I-FORWARD-TSN lists unordered messages.
        var isUnordered: Bool
        /// The stream sequence number, or the message identifier.
        var number: UInt32
    }

    /// Chunk header included.
    static let fixedLength = 8

    var isInterleaved: Bool
    var cumulative: TSN
    var skipped: [Skipped] = []

    init(isInterleaved: Bool, cumulative: TSN, skipped: [Skipped] = []) {
        self.isInterleaved = isInterleaved
        self.cumulative = cumulative
        self.skipped = skipped
    }

    /// - Throws: `truncated` for a list that ends within an entry.
    init(parsing chunk: SCTPChunkView) throws(WireError) {
        isInterleaved = chunk.type == .interleavedForwardTSN
        var reader = unsafe ByteReader(chunk.value)
        cumulative = TSN(try reader.readUInt32())
        skipped.reserveCapacity(reader.remaining / Self.entryLength(isInterleaved))
        while reader.remaining > 0 {
            let stream = try reader.readUInt16()
            if isInterleaved {
                let flags = try reader.readUInt16()
                let number = try reader.readUInt32()
                skipped.append(Skipped(stream: stream, isUnordered: flags & 1 == 1, number: number))
            } else {
                let number = UInt32(try reader.readUInt16())
                skipped.append(Skipped(stream: stream, isUnordered: false, number: number))
            }
        }
    }

    static func entryLength(_ isInterleaved: Bool) -> Int { isInterleaved ? 8 : 4 }

    var length: Int { Self.fixedLength + skipped.count * Self.entryLength(isInterleaved) }

    func write(into writer: inout SCTPPacketWriter) throws(WireError) {
        try writer.beginChunk(isInterleaved ? .interleavedForwardTSN : .forwardTSN)
        try writer.writeUInt32(cumulative.rawValue)
        for skip in skipped {
            try writer.writeUInt16(skip.stream)
            if isInterleaved {
                try writer.writeUInt16(skip.isUnordered ? 1 : 0)
                try writer.writeUInt32(skip.number)
            } else {
                try writer.writeUInt16(UInt16(truncatingIfNeeded: skip.number))
            }
        }
        try writer.endChunk()
    }
}
