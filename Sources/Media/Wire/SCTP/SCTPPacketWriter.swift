// Safe: the buffer is written through `ByteWriter`, which checks every bound; the checksum is of what was written.

/// Writes one SCTP packet (RFC 9260 §3): the common header, then chunk after chunk.
struct SCTPPacketWriter {
    private var writer: ByteWriter
    /// Where the chunk that is being written begins.
    private var chunkStart = 0
    /// The last padding, and where it ended.
    private var padding = (count: 0, end: 0)

    /// - Parameters:
    ///   - buffer: must stay valid for the lifetime of the writer.
    ///   - limit: how long the packet may become, in bytes.
    /// - Throws: `noSpace` if not even the header fits.
    init(
        _ buffer: UnsafeMutableRawBufferPointer, limit: Int, from source: UInt16, to destination: UInt16, tag: UInt32
    ) throws(WireError) {
        guard limit >= SCTPPacketReader.headerLength, buffer.count >= SCTPPacketReader.headerLength else {
            throw .noSpace
        }
        // Safe: the end lies within the buffer.
        let end = min(limit, buffer.count)
        writer = unsafe ByteWriter(UnsafeMutableRawBufferPointer(rebasing: buffer[..<end]))
        try writer.writeUInt16(source)
        try writer.writeUInt16(destination)
        try writer.writeUInt32(tag)
        try writer.writeUInt32(0)
    }

    /// A packet of its own memory, for what is seldom sent.
    /// - Returns: `nil` for one that does not fit.
    static func packet(
        limit: Int, from source: UInt16, to destination: UInt16, tag: UInt32, withoutChecksum: Bool = false,
        _ body: (inout SCTPPacketWriter) throws(WireError) -> Void
    ) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = unsafe bytes.withUnsafeMutableBytes { buffer -> Int? in
            guard
                var writer = try? unsafe SCTPPacketWriter(
                    buffer, limit: limit, from: source, to: destination, tag: tag),
                (try? body(&writer)) != nil
            else { return nil }
            return try? writer.finish(withoutChecksum: withoutChecksum)
        }
        return count.map { Array(bytes.prefix($0)) }
    }

    /// Bytes written so far.
    var count: Int { writer.count }
    /// Bytes that are left; chunks of a multiple of four fit into them whole.
    var remaining: Int { writer.remaining }
    var isEmpty: Bool { writer.count == SCTPPacketReader.headerLength }

    /// Fills in the checksum, unless zero stands for it (RFC 9653), and returns the packet's length.
    consuming func finish(withoutChecksum: Bool = false) throws(WireError) -> Int {
        if !withoutChecksum {
            let sum = unsafe CRC32C.checksum(writer.written)
            try writer.overwriteUInt16(UInt16(truncatingIfNeeded: sum).byteSwapped, at: 8)
            try writer.overwriteUInt16(UInt16(truncatingIfNeeded: sum >> 16).byteSwapped, at: 10)
        }
        return writer.count
    }

    // MARK: Chunks

    /// Begins a chunk, to be filled by the functions below and ended by `endChunk`.
    mutating func beginChunk(_ type: SCTPChunkType, flags: UInt8 = 0) throws(WireError) {
        chunkStart = writer.count
        try writer.writeUInt8(type.rawValue)
        try writer.writeUInt8(flags)
        try writer.writeUInt16(0)
    }

    /// Writes the chunk's length, and its padding, which does not count.
    mutating func endChunk() throws(WireError) { try end(at: chunkStart) }

    /// A chunk without a value.
    mutating func append(_ type: SCTPChunkType, flags: UInt8 = 0) throws(WireError) {
        try beginChunk(type, flags: flags)
        try endChunk()
    }

    /// A chunk whose value is ready.
    mutating func append(_ type: SCTPChunkType, flags: UInt8 = 0, value: [UInt8]) throws(WireError) {
        try beginChunk(type, flags: flags)
        try writer.writeBytes(value)
        try endChunk()
    }

    mutating func writeUInt8(_ value: UInt8) throws(WireError) { try writer.writeUInt8(value) }
    mutating func writeUInt16(_ value: UInt16) throws(WireError) { try writer.writeUInt16(value) }
    mutating func writeUInt32(_ value: UInt32) throws(WireError) { try writer.writeUInt32(value) }
    mutating func writeUInt64(_ value: UInt64) throws(WireError) { try writer.writeUInt64(value) }
    mutating func writeBytes(_ value: [UInt8]) throws(WireError) { try writer.writeBytes(value) }
    /// Appends a copy of a part of an array, whose bounds are checked.
    mutating func writeBytes(_ value: [UInt8], _ range: Range<Int>) throws(WireError) {
        try writer.writeBytes(value, range)
    }

    // MARK: Parameters and causes

    /// Begins a parameter or an error cause, which have the same form: a type, and a length that counts both.
    /// - Returns: what `endParameter` wants.
    mutating func beginParameter(_ type: UInt16) throws(WireError) -> Int {
        let start = writer.count
        try writer.writeUInt16(type)
        try writer.writeUInt16(0)
        return start
    }

    mutating func endParameter(_ start: Int) throws(WireError) { try end(at: start) }

    private mutating func end(at start: Int) throws(WireError) {
        // The padding of a chunk's last parameter is the chunk's own, and does not count (RFC 9260 §3.2).
        let inner = padding.end == writer.count ? padding.count : 0
        guard let length = UInt16(exactly: writer.count - inner - start) else { throw .tooLarge }
        try writer.overwriteUInt16(length, at: start + 2)
        let added = (4 - writer.count % 4) % 4
        try writer.writeZeros(added)
        padding = (inner + added, writer.count)
    }

    /// Takes back everything after the first `count` bytes, as after a chunk that did not fit.
    mutating func truncate(to count: Int) { writer.truncate(to: count) }
}
