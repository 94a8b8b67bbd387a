// Safe: buffers are read by iteration, or by an index below a count that was compared.

/// The twenty bytes of a SHA-1 hash, as five words in order.
struct SHA1Digest: Sendable {
    var words: InlineArray<5, UInt32>

    init(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ e: UInt32) { words = [a, b, c, d, e] }

    /// Byte `index`, 0…19.
    subscript(index: Int) -> UInt8 { UInt8(truncatingIfNeeded: words[index / 4] >> UInt32(24 - 8 * (index % 4))) }

    /// Compares in a time that does not depend on where the bytes differ.
    func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count == SHA1.digestLength else { return false }
        var difference: UInt8 = 0
        for index in 0..<SHA1.digestLength { unsafe difference |= self[index] ^ bytes[index] }
        return difference == 0
    }
}
