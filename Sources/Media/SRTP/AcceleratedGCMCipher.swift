import CIPSecMB

/// AES-GCM by intel-ipsec-mb, where library and processor allow it: half of libcrypto's time per packet, because
/// nothing but the packet itself is touched.
// Safe: `expanded` lives from init to `destroy()`, which the one owner (a sealer or an opener) calls in its deinit; every
// pointer passed in is read and written only for the lengths given with it.
struct AcceleratedGCMCipher {
    static let tagLength = 16
    /// Whether `init` will do.
    static var isAvailable: Bool { cim_is_available() }

    private let expanded: UnsafeMutableRawPointer
    private let keyLength: Int
    private let saltHigh: UInt32
    private let saltLow: UInt64

    init(keys: SRTPSessionKeys) throws(MediaError) {
        guard Self.isAvailable, keys.salt.count == 12 else {
            throw MediaError(.system, "intel-ipsec-mb is not on this machine")
        }
        keyLength = keys.encryptionKey.count
        expanded = .allocate(byteCount: Int(CIM_KEY_SIZE), alignment: Int(CIM_KEY_ALIGNMENT))
        cim_expand_key(expanded, keys.encryptionKey, keyLength)
        saltHigh = keys.salt.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        saltLow = keys.salt.dropFirst(4).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Asks for the cache lines of the expanded key.
    func prefetch() { cim_prefetch(expanded) }

    func destroy() { expanded.deallocate() }

    /// As `GCMCipher.seal`.
    func seal(
        header: UnsafeRawPointer, headerLength: Int, ssrc: UInt32, index: UInt64, source: UnsafeRawPointer, count: Int,
        destination: UnsafeMutableRawPointer
    ) {
        withVector(ssrc: ssrc, index: index) { vector in
            cim_seal(
                expanded, keyLength, vector, header, headerLength, source, count, destination,
                (destination + count).assumingMemoryBound(to: UInt8.self))
        }
    }

    /// As `GCMCipher.open`.
    func open(
        header: UnsafeRawPointer, headerLength: Int, ssrc: UInt32, index: UInt64, bytes: UnsafeMutableRawPointer,
        count: Int
    ) -> Bool {
        withVector(ssrc: ssrc, index: index) { vector in
            cim_open(
                expanded, keyLength, vector, header, headerLength, bytes, count,
                (bytes + count).assumingMemoryBound(to: UInt8.self))
        }
    }

    /// Seals an SRTCP packet in place: its first eight bytes and the word with the E flag are authenticated together
    /// (RFC 7714 §9.2).
    func sealRTCP(_ packet: UnsafeMutableRawPointer, count: Int, word: UInt32, ssrc: UInt32) {
        withRTCPHeader(packet, word: word) { header in
            seal(
                header: header, headerLength: 12, ssrc: ssrc, index: UInt64(word & 0x7FFF_FFFF), source: packet + 8,
                count: count - 8, destination: packet + 8)
        }
    }

    /// Opens an SRTCP packet of `count` bytes (without tag and word) in place.
    func openRTCP(_ packet: UnsafeMutableRawPointer, count: Int, word: UInt32, ssrc: UInt32) -> Bool {
        withRTCPHeader(packet, word: word) { header in
            open(
                header: header, headerLength: 12, ssrc: ssrc, index: UInt64(word & 0x7FFF_FFFF), bytes: packet + 8,
                count: count - 8)
        }
    }

    private func withRTCPHeader<Result>(
        _ packet: UnsafeRawPointer, word: UInt32, _ body: (UnsafeRawPointer) -> Result
    ) -> Result {
        var header = (packet.loadUnaligned(as: UInt64.self), UInt64(word.bigEndian))
        return withUnsafeBytes(of: &header) { bytes in
            // '!' okay: a tuple is not empty.
            body(bytes.baseAddress!)
        }
    }

    /// Salt XOR (SSRC · 2^48 + index), 96 bits (RFC 7714 §8.1).
    @inline(__always)
    private func withVector<Result>(ssrc: UInt32, index: UInt64, _ body: (UnsafePointer<UInt8>) -> Result) -> Result {
        let high = (saltHigh ^ (ssrc >> 16)).bigEndian
        let low = (saltLow ^ (UInt64(ssrc) << 48) ^ (index & 0xFFFF_FFFF_FFFF)).bigEndian
        var vector = (UInt64(high) | low << 32, low >> 32)
        return withUnsafeBytes(of: &vector) { bytes in
            // '!' okay: a tuple is not empty.
            body(bytes.baseAddress!.assumingMemoryBound(to: UInt8.self))
        }
    }
}
