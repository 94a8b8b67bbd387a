import CIPSecMB

/// AES-GCM by intel-ipsec-mb, where library and processor allow it: half of libcrypto's time per packet, because
/// nothing but the packet itself is touched.
// Safe: `expanded` lives from init to `destroy()`, which the one owner (a sealer or an opener) calls in its deinit; every
// pointer passed in is read and written only for the lengths given with it.
@safe struct AcceleratedGCMCipher {
    static let tagLength = 16
    /// Whether `init` will do.
    static var isAvailable: Bool { cim_look() == CIM_USABLE }
    /// Whether the library is there and is not to be trusted with a packet.
    static var isFaulty: Bool { cim_look() == CIM_FAULTY }

    private let expanded: UnsafeMutableRawPointer
    private let keyLength: Int
    private let salt: GCMSalt

    init(keys: SRTPSessionKeys) throws(MediaError) {
        guard Self.isAvailable, keys.salt.count == 12 else {
            throw MediaError(.system, "intel-ipsec-mb is not on this machine")
        }
        keyLength = keys.encryptionKey.count
        unsafe expanded = .allocate(byteCount: Int(CIM_KEY_SIZE), alignment: Int(CIM_KEY_ALIGNMENT))
        unsafe cim_expand_key(expanded, keys.encryptionKey, keyLength)
        salt = GCMSalt(keys.salt)
    }

    /// Asks for the cache lines of the expanded key.
    func prefetch() { unsafe cim_prefetch(expanded) }

    func destroy() { unsafe expanded.deallocate() }

    /// As `GCMCipher.seal`.
    func seal(
        header: UnsafeRawPointer, headerLength: Int, ssrc: UInt32, index: UInt64, source: UnsafeRawPointer, count: Int,
        destination: UnsafeMutableRawPointer
    ) {
        unsafe salt.withVector(ssrc: ssrc, index: index) { vector in
            unsafe cim_seal(
                expanded, keyLength, vector, header, headerLength, source, count, destination,
                (destination + count).assumingMemoryBound(to: UInt8.self))
        }
    }

    /// As `GCMCipher.open`.
    func open(
        header: UnsafeRawPointer, headerLength: Int, ssrc: UInt32, index: UInt64, bytes: UnsafeMutableRawPointer,
        count: Int
    ) -> Bool {
        unsafe salt.withVector(ssrc: ssrc, index: index) { vector in
            unsafe cim_open(
                expanded, keyLength, vector, header, headerLength, bytes, count,
                (bytes + count).assumingMemoryBound(to: UInt8.self))
        }
    }
}
