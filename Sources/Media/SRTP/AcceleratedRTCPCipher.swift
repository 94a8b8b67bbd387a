import CIPSecMB

/// The same for RTCP, with the key expanded for each packet: an expanded key is a KiB, and would lie idle in each direction
/// of every transport between a few packets a second.
// Safe: `key` lives from init to `destroy()`, as above; a packet holds the lengths given with it, and 16 bytes more.
@safe struct AcceleratedRTCPCipher {
    private let key: UnsafeMutablePointer<UInt8>
    private let keyLength: Int
    private let salt: GCMSalt

    init(keys: SRTPSessionKeys) throws(MediaError) {
        guard AcceleratedGCMCipher.isAvailable, keys.salt.count == 12 else {
            throw MediaError(.system, "intel-ipsec-mb is not on this machine")
        }
        keyLength = keys.encryptionKey.count
        unsafe key = .allocate(capacity: keyLength)
        unsafe key.initialize(from: keys.encryptionKey, count: keyLength)
        salt = GCMSalt(keys.salt)
    }

    func destroy() { unsafe key.deallocate() }

    /// Seals an SRTCP packet in place: its first eight bytes and the word with the E flag are authenticated together
    /// (RFC 7714 §9.2).
    func seal(_ packet: UnsafeMutableRawPointer, count: Int, word: UInt32, ssrc: UInt32) {
        unsafe withHeader(packet, word: word) { header in
            unsafe salt.withVector(ssrc: ssrc, index: UInt64(word & 0x7FFF_FFFF)) { vector in
                unsafe cim_seal_once(
                    key, keyLength, vector, header, 12, packet + 8, count - 8,
                    (packet + count).assumingMemoryBound(to: UInt8.self))
            }
        }
    }

    /// Opens an SRTCP packet of `count` bytes (without tag and word) in place.
    func open(_ packet: UnsafeMutableRawPointer, count: Int, word: UInt32, ssrc: UInt32) -> Bool {
        unsafe withHeader(packet, word: word) { header in
            unsafe salt.withVector(ssrc: ssrc, index: UInt64(word & 0x7FFF_FFFF)) { vector in
                unsafe cim_open_once(
                    key, keyLength, vector, header, 12, packet + 8, count - 8,
                    (packet + count).assumingMemoryBound(to: UInt8.self))
            }
        }
    }

    private func withHeader<Result>(
        _ packet: UnsafeRawPointer, word: UInt32, _ body: (UnsafeRawPointer) -> Result
    ) -> Result {
        var header = unsafe (packet.loadUnaligned(as: UInt64.self), UInt64(word.bigEndian))
        return unsafe withUnsafeBytes(of: &header) { bytes in
            // '!' okay: a tuple is not empty.
            unsafe body(bytes.baseAddress!)
        }
    }
}
