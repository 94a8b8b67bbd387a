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
    private let salt: Salt

    init(keys: SRTPSessionKeys) throws(MediaError) {
        guard Self.isAvailable, keys.salt.count == 12 else {
            throw MediaError(.system, "intel-ipsec-mb is not on this machine")
        }
        keyLength = keys.encryptionKey.count
        expanded = .allocate(byteCount: Int(CIM_KEY_SIZE), alignment: Int(CIM_KEY_ALIGNMENT))
        cim_expand_key(expanded, keys.encryptionKey, keyLength)
        salt = Salt(keys.salt)
    }

    /// Asks for the cache lines of the expanded key.
    func prefetch() { cim_prefetch(expanded) }

    func destroy() { expanded.deallocate() }

    /// As `GCMCipher.seal`.
    func seal(
        header: UnsafeRawPointer, headerLength: Int, ssrc: UInt32, index: UInt64, source: UnsafeRawPointer, count: Int,
        destination: UnsafeMutableRawPointer
    ) {
        salt.withVector(ssrc: ssrc, index: index) { vector in
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
        salt.withVector(ssrc: ssrc, index: index) { vector in
            cim_open(
                expanded, keyLength, vector, header, headerLength, bytes, count,
                (bytes + count).assumingMemoryBound(to: UInt8.self))
        }
    }
}

/// The same for RTCP, with the key expanded for each packet: an expanded key is a KiB, and would lie idle in each direction
/// of every transport between a few packets a second.
// Safe: `key` lives from init to `destroy()`, as above; a packet holds the lengths given with it, and 16 bytes more.
struct AcceleratedRTCPCipher {
    private let key: UnsafeMutablePointer<UInt8>
    private let keyLength: Int
    private let salt: Salt

    init(keys: SRTPSessionKeys) throws(MediaError) {
        guard AcceleratedGCMCipher.isAvailable, keys.salt.count == 12 else {
            throw MediaError(.system, "intel-ipsec-mb is not on this machine")
        }
        keyLength = keys.encryptionKey.count
        key = .allocate(capacity: keyLength)
        key.initialize(from: keys.encryptionKey, count: keyLength)
        salt = Salt(keys.salt)
    }

    func destroy() { key.deallocate() }

    /// Seals an SRTCP packet in place: its first eight bytes and the word with the E flag are authenticated together
    /// (RFC 7714 §9.2).
    func seal(_ packet: UnsafeMutableRawPointer, count: Int, word: UInt32, ssrc: UInt32) {
        withHeader(packet, word: word) { header in
            salt.withVector(ssrc: ssrc, index: UInt64(word & 0x7FFF_FFFF)) { vector in
                cim_seal_once(
                    key, keyLength, vector, header, 12, packet + 8, count - 8,
                    (packet + count).assumingMemoryBound(to: UInt8.self))
            }
        }
    }

    /// Opens an SRTCP packet of `count` bytes (without tag and word) in place.
    func open(_ packet: UnsafeMutableRawPointer, count: Int, word: UInt32, ssrc: UInt32) -> Bool {
        withHeader(packet, word: word) { header in
            salt.withVector(ssrc: ssrc, index: UInt64(word & 0x7FFF_FFFF)) { vector in
                cim_open_once(
                    key, keyLength, vector, header, 12, packet + 8, count - 8,
                    (packet + count).assumingMemoryBound(to: UInt8.self))
            }
        }
    }

    private func withHeader<Result>(
        _ packet: UnsafeRawPointer, word: UInt32, _ body: (UnsafeRawPointer) -> Result
    ) -> Result {
        var header = (packet.loadUnaligned(as: UInt64.self), UInt64(word.bigEndian))
        return withUnsafeBytes(of: &header) { bytes in
            // '!' okay: a tuple is not empty.
            body(bytes.baseAddress!)
        }
    }
}

/// The 96 bits that make every packet's initialization vector its own.
private struct Salt {
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
        return withUnsafeBytes(of: &vector) { bytes in
            // '!' okay: a tuple is not empty.
            body(bytes.baseAddress!.assumingMemoryBound(to: UInt8.self))
        }
    }
}
