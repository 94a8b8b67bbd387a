/// The last 1,024 indices of an SRTP stream, as bits by index modulo 1,024 (RFC 3711 §3.3.2).
// Safe: `words` is `wordCount` words of memory that the stream table owns and outlives this view.
@safe struct SRTPReplayWindow {
    static let size = 1024
    static let wordCount = size / 64

    let words: UnsafeMutablePointer<UInt64>

    /// Whether a packet with this index may still be accepted: newer than all, or within the window and not yet seen.
    func isFresh(_ index: UInt64, highest: UInt64) -> Bool {
        if index > highest { return true }
        guard highest &- index < UInt64(Self.size) else { return false }
        return unsafe words[word(of: index)] & bit(of: index) == 0
    }

    /// Notes an index that authenticated.
    func record(_ index: UInt64, highest: inout UInt64) {
        if index > highest {
            let step = index &- highest
            if step >= UInt64(Self.size) {
                unsafe words.update(repeating: 0, count: Self.wordCount)
            } else {
                // Cannot overflow: fewer than `size` steps from a number of 48 bits.
                var skipped = highest &+ 1
                while skipped < index {
                    unsafe words[word(of: skipped)] &= ~bit(of: skipped)
                    skipped &+= 1
                }
            }
            highest = index
        }
        unsafe words[word(of: index)] |= bit(of: index)
    }

    private func word(of index: UInt64) -> Int { Int(truncatingIfNeeded: (index & UInt64(Self.size - 1)) >> 6) }
    private func bit(of index: UInt64) -> UInt64 { 1 << (index & 63) }
}
