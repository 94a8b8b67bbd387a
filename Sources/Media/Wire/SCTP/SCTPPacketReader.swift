// Safe: every load is preceded by a comparison with the packet's length.

/// An SCTP packet (RFC 9260 §3), read in place: the common header, and its chunks one after another.
///
/// It refers to the buffer it was parsed from and must not outlive it.
@safe struct SCTPPacketReader {
    static let headerLength = 12
    /// More than any packet of a path holds in full: what declares more is not read.
    static let maximumChunks = 300

    let sourcePort: UInt16
    let destinationPort: UInt16
    let verificationTag: UInt32
    let chunkCount: Int

    private let bytes: UnsafeRawBufferPointer
    private var offset = headerLength

    /// Checks every chunk's length before any of them is read, so that `next` cannot fail. The checksum is a matter of
    /// its own.
    /// - Throws: `truncated` for a chunk that ends behind the packet, `malformed` for one shorter than its header and
    ///   for a packet without chunks, `tooLarge` above `maximumChunks`.
    init(parsing bytes: UnsafeRawBufferPointer) throws(WireError) {
        guard bytes.count >= Self.headerLength else { throw .truncated }
        sourcePort = unsafe bytes.uint16(provenAt: 0)
        destinationPort = unsafe bytes.uint16(provenAt: 2)
        verificationTag = unsafe bytes.uint32(provenAt: 4)
        unsafe self.bytes = bytes
        var (position, count) = (Self.headerLength, 0)
        while position < bytes.count {
            guard bytes.count - position >= SCTPChunkView.headerLength else { throw .truncated }
            let length = unsafe Int(bytes.uint16(provenAt: position + 2))
            guard length >= SCTPChunkView.headerLength else { throw .malformed }
            guard length <= bytes.count - position else { throw .truncated }
            count += 1
            guard count <= Self.maximumChunks else { throw .tooLarge }
            // The last chunk's padding may be missing.
            position += (length + 3) & ~3
        }
        guard count > 0 else { throw .malformed }
        chunkCount = count
    }

    /// The next chunk; `nil` at the end.
    mutating func next() -> SCTPChunkView? {
        guard unsafe bytes.count - offset >= SCTPChunkView.headerLength else { return nil }
        let length = unsafe Int(bytes.uint16(provenAt: offset + 2))
        guard
            let value = unsafe bytes.view(
                from: offset + SCTPChunkView.headerLength, count: length - SCTPChunkView.headerLength)
        else { return nil }
        let chunk = unsafe SCTPChunkView(
            type: SCTPChunkType(rawValue: bytes[offset]), flags: bytes[offset + 1], value: value)
        offset += (length + 3) & ~3
        return chunk
    }

    // MARK: Checksum

    /// The checksum field: stored with its least significant byte first (RFC 9260 Appendix A).
    var checksum: UInt32 { unsafe bytes.uint32(provenAt: 8).byteSwapped }

    /// Whether the checksum field is the packet's CRC32c.
    var hasValidChecksum: Bool {
        guard let header = unsafe bytes.view(from: 0, count: 8),
            let rest = unsafe bytes.view(from: Self.headerLength, count: bytes.count - Self.headerLength)
        else { return false }
        var sum = CRC32C()
        unsafe sum.update(header)
        sum.updateWithZeros()
        unsafe sum.update(rest)
        return sum.checksum == checksum
    }
}
