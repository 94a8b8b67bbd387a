// Safe: every read compares its end with the buffer's before it touches a byte.

/// Reads big-endian fields from the front of a buffer it does not own; every read is checked against the end.
@safe struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    /// The offset of the next byte to be read.
    private(set) var offset = 0

    /// - Parameter bytes: must stay valid for the lifetime of the reader and of every buffer it returns.
    init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = unsafe bytes }

    /// How many bytes have not been read yet.
    var remaining: Int { unsafe bytes.count - offset }

    mutating func readUInt8() throws(WireError) -> UInt8 {
        guard remaining >= 1 else { throw .truncated }
        defer { offset += 1 }
        return unsafe bytes[offset]
    }

    mutating func readUInt16() throws(WireError) -> UInt16 {
        guard remaining >= 2 else { throw .truncated }
        defer { offset += 2 }
        return unsafe bytes.uint16(provenAt: offset)
    }

    mutating func readUInt24() throws(WireError) -> UInt32 {
        guard remaining >= 3 else { throw .truncated }
        defer { offset += 3 }
        return unsafe bytes.uint24(provenAt: offset)
    }

    mutating func readUInt32() throws(WireError) -> UInt32 {
        guard remaining >= 4 else { throw .truncated }
        defer { offset += 4 }
        return unsafe bytes.uint32(provenAt: offset)
    }

    mutating func readUInt64() throws(WireError) -> UInt64 {
        guard remaining >= 8 else { throw .truncated }
        defer { offset += 8 }
        return unsafe UInt64(bytes.uint32(provenAt: offset)) << 32 | UInt64(bytes.uint32(provenAt: offset + 4))
    }

    mutating func skip(_ count: Int) throws(WireError) {
        guard count >= 0, count <= remaining else { throw .truncated }
        offset += count
    }

    /// Takes the next `count` bytes as a view into the reader's buffer.
    mutating func readBytes(_ count: Int) throws(WireError) -> UnsafeRawBufferPointer {
        guard let view = unsafe bytes.view(from: offset, count: count) else { throw .truncated }
        offset += count
        return unsafe view
    }

    /// Takes everything that has not been read yet.
    mutating func readRemaining() -> UnsafeRawBufferPointer {
        defer { offset = unsafe bytes.count }
        return unsafe UnsafeRawBufferPointer(rebasing: bytes[offset...])
    }
}

extension UnsafeRawBufferPointer {
    /// A view of `count` bytes from `offset`, or `nil` if they are not all inside.
    func view(from offset: Int, count: Int) -> UnsafeRawBufferPointer? {
        guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else { return nil }
        return unsafe UnsafeRawBufferPointer(rebasing: self[offset..<offset + count])
    }

    /// A view of a range, or `nil` if it is not all inside.
    func view(_ range: Range<Int>) -> UnsafeRawBufferPointer? {
        unsafe view(from: range.lowerBound, count: range.count)
    }

    // Safe: callers of the three loads below have compared `offset` plus the field's size with `count`.

    func uint16(provenAt offset: Int) -> UInt16 {
        assert(offset >= 0 && offset + 2 <= count)
        return unsafe UInt16(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    func uint24(provenAt offset: Int) -> UInt32 {
        assert(offset >= 0 && offset + 3 <= count)
        return unsafe UInt32(self[offset]) << 16 | UInt32(self[offset + 1]) << 8 | UInt32(self[offset + 2])
    }

    func uint32(provenAt offset: Int) -> UInt32 {
        assert(offset >= 0 && offset + 4 <= count)
        return unsafe UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
