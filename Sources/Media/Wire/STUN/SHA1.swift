// Safe: buffers are read by iteration, or by an index below a count that was compared.

/// SHA-1 (RFC 3174), for STUN's message integrity only: one hash of about a hundred bytes per connectivity check.
struct SHA1 {
    static let blockLength = 64
    static let digestLength = 20

    private var state = SHA1Digest(0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0)
    private var block = InlineArray<64, UInt8>(repeating: 0)
    private var blockCount = 0
    private var totalCount: UInt64 = 0

    init() {}

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        unsafe bytes.forEach { update($0) }
    }

    mutating func update(_ byte: UInt8) {
        block[blockCount] = byte
        blockCount += 1
        totalCount &+= 1
        if blockCount == Self.blockLength { compress() }
    }

    /// Pads (RFC 3174 §4) and returns the digest.
    consuming func finalize() -> SHA1Digest {
        let bitCount = totalCount &* 8
        update(0x80)
        while blockCount != 56 { update(0) }
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            update(UInt8(truncatingIfNeeded: bitCount >> shift))
        }
        return state
    }

    /// RFC 3174 §6.1.
    private mutating func compress() {
        blockCount = 0
        var w = InlineArray<80, UInt32>(repeating: 0)
        for t in 0..<16 {
            w[t] =
                UInt32(block[4 * t]) << 24 | UInt32(block[4 * t + 1]) << 16 | UInt32(block[4 * t + 2]) << 8
                | UInt32(block[4 * t + 3])
        }
        for t in 16..<80 { w[t] = rotated(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1) }
        var (a, b, c, d, e) = (state.words[0], state.words[1], state.words[2], state.words[3], state.words[4])
        for t in 0..<80 {
            let (mix, constant): (UInt32, UInt32) =
                switch t {
                case 0..<20: (b & c | ~b & d, 0x5A82_7999)
                case 20..<40: (b ^ c ^ d, 0x6ED9_EBA1)
                case 40..<60: (b & c | b & d | c & d, 0x8F1B_BCDC)
                default: (b ^ c ^ d, 0xCA62_C1D6)
                }
            let next = rotated(a, 5) &+ mix &+ e &+ w[t] &+ constant
            (e, d, c, b, a) = (d, c, rotated(b, 30), a, next)
        }
        state.words[0] &+= a
        state.words[1] &+= b
        state.words[2] &+= c
        state.words[3] &+= d
        state.words[4] &+= e
    }

    private func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { word << count | word >> (32 - count) }
}

// MARK: Snapshot

extension SHA1 {
    /// A hash that has been fed one whole block, as each half of an HMAC's key has.
    init(afterOneBlock reader: inout SnapshotReader) throws(WireError) {
        state.words = try reader.read()
        totalCount = UInt64(Self.blockLength)
    }

    /// Writes what is left of whole blocks.
    func writeState(to writer: inout SnapshotWriter) {
        assert(blockCount == 0)
        writer.write(state.words)
    }
}
