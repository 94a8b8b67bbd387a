// Safe: every write compares its end with the buffer's before it touches a byte.

/// Appends big-endian fields to a buffer it does not own; every write is checked against the end.
@safe struct ByteWriter {
    private let buffer: UnsafeMutableRawBufferPointer
    /// How many bytes have been written.
    private(set) var count = 0

    /// - Parameter buffer: must stay valid for the lifetime of the writer.
    init(_ buffer: UnsafeMutableRawBufferPointer) { unsafe self.buffer = unsafe buffer }

    /// How many more bytes fit.
    var remaining: Int { unsafe buffer.count - count }

    /// What has been written so far.
    var written: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count]) }

    mutating func writeUInt8(_ value: UInt8) throws(WireError) {
        guard remaining >= 1 else { throw .noSpace }
        unsafe buffer[count] = value
        count += 1
    }

    mutating func writeUInt16(_ value: UInt16) throws(WireError) {
        guard remaining >= 2 else { throw .noSpace }
        unsafe buffer.storeBytes(of: value.bigEndian, toByteOffset: count, as: UInt16.self)
        count += 2
    }

    /// Writes the low 24 bits of `value`.
    mutating func writeUInt24(_ value: UInt32) throws(WireError) {
        guard remaining >= 3 else { throw .noSpace }
        unsafe buffer[count] = UInt8(truncatingIfNeeded: value >> 16)
        unsafe buffer[count + 1] = UInt8(truncatingIfNeeded: value >> 8)
        unsafe buffer[count + 2] = UInt8(truncatingIfNeeded: value)
        count += 3
    }

    mutating func writeUInt32(_ value: UInt32) throws(WireError) {
        guard remaining >= 4 else { throw .noSpace }
        unsafe buffer.storeBytes(of: value.bigEndian, toByteOffset: count, as: UInt32.self)
        count += 4
    }

    mutating func writeUInt64(_ value: UInt64) throws(WireError) {
        guard remaining >= 8 else { throw .noSpace }
        unsafe buffer.storeBytes(of: value.bigEndian, toByteOffset: count, as: UInt64.self)
        count += 8
    }

    /// Appends a copy of `bytes`, which must not overlap the writer's buffer.
    mutating func writeBytes(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        guard remaining >= bytes.count else { throw .noSpace }
        if let source = bytes.baseAddress, let destination = unsafe buffer.baseAddress {
            // Safe: `bytes.count` bytes fit behind `count`, by the guard above.
            unsafe (destination + count).copyMemory(from: source, byteCount: bytes.count)
        }
        count += bytes.count
    }

    /// Appends a copy of an array.
    mutating func writeBytes(_ bytes: [UInt8]) throws(WireError) { try writeBytes(bytes, 0..<bytes.count) }

    /// Appends a copy of a part of an array.
    /// - Throws: `malformed` for a part that is not all inside, `noSpace`.
    mutating func writeBytes(_ bytes: [UInt8], _ range: Range<Int>) throws(WireError) {
        try unsafe bytes.span.withUnsafeBytes { (buffer) throws(WireError) in
            guard let part = unsafe buffer.view(range) else { throw .malformed }
            try unsafe writeBytes(part)
        }
    }

    mutating func writeZeros(_ zeros: Int) throws(WireError) {
        guard zeros >= 0, remaining >= zeros else { throw .noSpace }
        for index in count..<count + zeros { unsafe buffer[index] = 0 }
        count += zeros
    }

    /// Appends the UTF-8 bytes of `text`.
    mutating func writeText(_ text: String) throws(WireError) {
        for byte in text.utf8 { try writeUInt8(byte) }
    }

    /// Replaces a field written before, such as a length that is known only at the end.
    mutating func overwriteUInt16(_ value: UInt16, at offset: Int) throws(WireError) {
        guard offset >= 0, offset <= count - 2 else { throw .noSpace }
        unsafe buffer.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
    }

    /// Takes back everything written after the first `count` bytes, as after a write that did not fit.
    mutating func truncate(to count: Int) {
        if count >= 0, count < self.count { self.count = count }
    }
}
