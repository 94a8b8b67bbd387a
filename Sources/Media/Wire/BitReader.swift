// Safe: every read compares its end with the buffer's before it touches a byte.

/// Reads unsigned fields of any width from the front of a buffer it does not own, most significant bit first.
@safe struct BitReader {
    private let bytes: UnsafeRawBufferPointer
    /// The number of the next bit to be read.
    private(set) var position = 0

    /// - Parameter bytes: must stay valid for the lifetime of the reader.
    init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = unsafe bytes }

    /// How many bits have not been read yet.
    var remaining: Int { unsafe bytes.count * 8 - position }

    /// The next `count` bits, 0…32.
    mutating func read(_ count: Int) throws(WireError) -> UInt32 {
        guard count >= 0, count <= 32 else { throw .malformed }
        guard count <= remaining else { throw .truncated }
        var value: UInt64 = 0
        var left = count
        while left > 0 {
            let available = 8 - (position & 7)
            let taken = min(available, left)
            let byte = unsafe UInt64(bytes[position >> 3])
            let field = byte >> UInt64(available - taken) & ((1 << UInt64(taken)) - 1)
            value = value << UInt64(taken) | field
            position += taken
            left -= taken
        }
        return UInt32(truncatingIfNeeded: value)
    }

    mutating func readFlag() throws(WireError) -> Bool { try read(1) != 0 }

    /// A number below `limit` in the non-symmetric code of AV1 (§4.10.7): smaller numbers may take one bit less.
    /// - Parameter limit: 1…2^16.
    mutating func readNonSymmetric(below limit: UInt32) throws(WireError) -> UInt32 {
        guard limit >= 1, limit <= 0x1_0000 else { throw .malformed }
        let width = 32 - limit.leadingZeroBitCount
        let short = (UInt32(1) << UInt32(width)) - limit
        let value = try read(width - 1)
        if value < short { return value }
        return (value << 1) - short + (try read(1))
    }
}
