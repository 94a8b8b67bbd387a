// Safe: the vector lives for as long as the closure that gets it.

/// The 96 bits that make every packet's initialization vector its own.
struct GCMSalt {
    private let high: UInt32
    private let low: UInt64

    init(_ bytes: [UInt8]) {
        high = bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        low = bytes.dropFirst(4).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Salt XOR (SSRC · 2^48 + index), 96 bits (RFC 7714 §8.1).
    @inline(__always)
    func withVector<Result>(ssrc: UInt32, index: UInt64, _ body: (UnsafePointer<UInt8>) -> Result) -> Result {
        let first = (high ^ (ssrc >> 16)).bigEndian
        let second = (low ^ (UInt64(ssrc) << 48) ^ (index & 0xFFFF_FFFF_FFFF)).bigEndian
        var vector = (UInt64(first) | second << 32, second >> 32)
        return unsafe withUnsafeBytes(of: &vector) { bytes in
            // '!' okay: a tuple is not empty.
            unsafe body(bytes.baseAddress!.assumingMemoryBound(to: UInt8.self))
        }
    }
}
