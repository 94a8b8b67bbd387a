import COpenSSL

/// AES_CM_128 with HMAC_SHA1 (RFC 3711 §4.1.1, §4.2.1) with one pair of session keys, on cached states: a packet only
/// brings a new counter block, and copies of the two SHA-1 states that already took in the padded key.
// Safe: `context` and `states` live from init to `destroy()`, which the one owner (a sealer or an opener) calls in its
// deinit; every pointer passed in is read and written only for the lengths given with it.
@safe struct CounterModeCipher {
    /// SHA-1's output in bytes; a profile's tag is its beginning.
    static let digestLength = 20

    private struct States {
        var inner = SHA_CTX()
        var outer = SHA_CTX()
        var working = SHA_CTX()
        var counter: (UInt64, UInt64) = (0, 0)
        var digest: (UInt64, UInt64, UInt32) = (0, 0, 0)
        var rollOver: UInt32 = 0
    }

    private let context: OpaquePointer
    private let states: UnsafeMutablePointer<States>
    private let saltHigh: UInt64
    private let saltLow: UInt64

    init(keys: SRTPSessionKeys) throws(MediaError) {
        guard keys.salt.count == 14, keys.encryptionKey.count == 16, keys.authenticationKey.count <= 64,
            let context = unsafe EVP_CIPHER_CTX_new()
        else { throw MediaError(.system, "cannot make a counter mode context") }
        guard unsafe EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), nil, keys.encryptionKey, nil) == 1 else {
            ERR_clear_error()
            unsafe EVP_CIPHER_CTX_free(context)
            throw MediaError(.system, "libcrypto refuses AES in counter mode")
        }
        unsafe self.context = context
        unsafe states = .allocate(capacity: 1)
        unsafe states.initialize(to: States())
        saltHigh = keys.salt.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        saltLow = keys.salt.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) } << 16
        // RFC 2104 §2: the key, continued with zeros to SHA-1's block of 64 bytes.
        let padded = keys.authenticationKey + [UInt8](repeating: 0, count: 64 - keys.authenticationKey.count)
        unsafe SHA1_Init(&states.pointee.inner)
        unsafe SHA1_Update(&states.pointee.inner, padded.map { $0 ^ 0x36 }, 64)
        unsafe SHA1_Init(&states.pointee.outer)
        unsafe SHA1_Update(&states.pointee.outer, padded.map { $0 ^ 0x5C }, 64)
    }

    func destroy() {
        unsafe EVP_CIPHER_CTX_free(context)
        unsafe states.deallocate()
    }

    /// Encrypts, or what is the same decrypts, `count` bytes from `source` to `destination` (the same address, or apart).
    func crypt(
        ssrc: UInt32, index: UInt64, source: UnsafeRawPointer?, count: Int, destination: UnsafeMutableRawPointer
    ) -> Bool {
        guard count > 0 else { return true }
        // salt · 2^16 XOR SSRC · 2^64 XOR index · 2^16, 128 bits (RFC 3711 §4.1.1).
        unsafe states.pointee.counter.0 = (saltHigh ^ UInt64(ssrc)).bigEndian
        unsafe states.pointee.counter.1 = (saltLow ^ (index << 16)).bigEndian
        var written: Int32 = 0
        return unsafe EVP_EncryptInit_ex(context, nil, nil, nil, counterAddress) == 1
            && EVP_EncryptUpdate(context, destination, &written, source, Int32(truncatingIfNeeded: count)) == 1
    }

    /// The HMAC of a packet and of its roll-over counter (RTP, RFC 3711 §4.2), good until the next call.
    func digest(of bytes: UnsafeRawPointer, count: Int, rollOver: UInt32) -> UnsafeRawPointer {
        unsafe states.pointee.rollOver = rollOver.bigEndian
        unsafe states.pointee.working = states.pointee.inner
        unsafe SHA1_Update(&states.pointee.working, bytes, count)
        unsafe SHA1_Update(&states.pointee.working, &states.pointee.rollOver, 4)
        return unsafe finishedDigest()
    }

    /// The HMAC of a packet that already carries its index (RTCP), good until the next call.
    func digest(of bytes: UnsafeRawPointer, count: Int) -> UnsafeRawPointer {
        unsafe states.pointee.working = states.pointee.inner
        unsafe SHA1_Update(&states.pointee.working, bytes, count)
        return unsafe finishedDigest()
    }

    private func finishedDigest() -> UnsafeRawPointer {
        let digest = unsafe digestAddress
        unsafe SHA1_Final(digest.assumingMemoryBound(to: UInt8.self), &states.pointee.working)
        unsafe states.pointee.working = states.pointee.outer
        unsafe SHA1_Update(&states.pointee.working, digest, Self.digestLength)
        unsafe SHA1_Final(digest.assumingMemoryBound(to: UInt8.self), &states.pointee.working)
        return UnsafeRawPointer(digest)
    }

    private var digestAddress: UnsafeMutableRawPointer {
        unsafe UnsafeMutableRawPointer(states) + MemoryLayout<States>.offset(of: \.digest).unsafelyUnwrapped
    }

    private var counterAddress: UnsafeMutablePointer<UInt8> {
        unsafe (UnsafeMutableRawPointer(states) + MemoryLayout<States>.offset(of: \.counter).unsafelyUnwrapped)
            .assumingMemoryBound(to: UInt8.self)
    }
}
