import COpenSSL

/// AEAD_AES_128_GCM or AEAD_AES_256_GCM (RFC 7714) with one session key, on a cached context: a packet only brings a
/// new initialization vector.
// Safe: `context` and `vector` live from init to `destroy()`, which the one owner (a sealer or an opener) calls in its
// deinit; every pointer passed in is read and written only for the lengths given with it.
@safe struct GCMCipher {
    static let tagLength = 16

    private let context: OpaquePointer
    private let vector: UnsafeMutableRawPointer
    private let saltHigh: UInt32
    private let saltLow: UInt64

    /// - Parameter seals: a context either encrypts or decrypts.
    init(keys: SRTPSessionKeys, seals: Bool) throws(MediaError) {
        let cipher = unsafe keys.encryptionKey.count == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm()
        // GCM's own default is the 96-bit vector RFC 7714 §8.1 asks for.
        guard keys.salt.count == 12, let context = unsafe EVP_CIPHER_CTX_new() else {
            throw MediaError(.system, "cannot make a GCM context")
        }
        guard unsafe EVP_CipherInit_ex(context, cipher, nil, keys.encryptionKey, nil, seals ? 1 : 0) == 1 else {
            ERR_clear_error()
            unsafe EVP_CIPHER_CTX_free(context)
            throw MediaError(.system, "libcrypto refuses AES-GCM")
        }
        unsafe self.context = context
        unsafe vector = .allocate(byteCount: 16, alignment: 8)
        saltHigh = keys.salt.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        saltLow = keys.salt.dropFirst(4).reduce(0) { $0 << 8 | UInt64($1) }
    }

    func destroy() {
        unsafe EVP_CIPHER_CTX_free(context)
        unsafe vector.deallocate()
    }

    /// Encrypts `count` bytes from `source` to `destination` (the same address, or apart) and puts the tag behind them.
    /// - Parameters:
    ///   - index: 48 bits for RTP (RFC 7714 §8.1), 31 for RTCP (§9.1).
    ///   - trailer: four more bytes to authenticate after the header (RTCP's E flag and index), or `nil`.
    func seal(
        header: UnsafeRawPointer, headerLength: Int, trailer: UnsafeRawPointer?, ssrc: UInt32, index: UInt64,
        source: UnsafeRawPointer?, count: Int, destination: UnsafeMutableRawPointer
    ) -> Bool {
        setVector(ssrc: ssrc, index: index)
        var written: Int32 = 0
        let output = unsafe destination.assumingMemoryBound(to: UInt8.self)
        guard unsafe EVP_EncryptInit_ex(context, nil, nil, nil, vector) == 1,
            unsafe EVP_EncryptUpdate(context, nil, &written, header, Int32(truncatingIfNeeded: headerLength)) == 1,
            unsafe trailer == nil || EVP_EncryptUpdate(context, nil, &written, trailer, 4) == 1,
            unsafe count == 0
                || EVP_EncryptUpdate(context, output, &written, source, Int32(truncatingIfNeeded: count)) == 1,
            unsafe EVP_EncryptFinal_ex(context, output + count, &written) == 1
        else { return false }
        return unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagLength), destination + count)
            == 1
    }

    /// Decrypts `count` bytes in place; the tag is behind them. `false` when it does not fit: then the bytes are void.
    func open(
        header: UnsafeRawPointer, headerLength: Int, trailer: UnsafeRawPointer?, ssrc: UInt32, index: UInt64,
        bytes: UnsafeMutableRawPointer, count: Int
    ) -> Bool {
        setVector(ssrc: ssrc, index: index)
        var written: Int32 = 0
        let output = unsafe bytes.assumingMemoryBound(to: UInt8.self)
        guard unsafe EVP_DecryptInit_ex(context, nil, nil, nil, vector) == 1,
            unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagLength), bytes + count) == 1,
            unsafe EVP_DecryptUpdate(context, nil, &written, header, Int32(truncatingIfNeeded: headerLength)) == 1,
            unsafe trailer == nil || EVP_DecryptUpdate(context, nil, &written, trailer, 4) == 1
        else { return false }
        if count > 0, unsafe EVP_DecryptUpdate(context, output, &written, output, Int32(truncatingIfNeeded: count)) != 1
        {
            return false
        }
        return unsafe EVP_DecryptFinal_ex(context, output + count, &written) == 1
    }

    /// Salt XOR (SSRC · 2^48 + index), 96 bits (RFC 7714 §8.1, §9.1).
    private func setVector(ssrc: UInt32, index: UInt64) {
        let high = saltHigh ^ (ssrc >> 16)
        let low = saltLow ^ (UInt64(ssrc) << 48) ^ (index & 0xFFFF_FFFF_FFFF)
        unsafe vector.storeBytes(of: high.bigEndian, as: UInt32.self)
        unsafe vector.storeBytes(of: low.bigEndian, toByteOffset: 4, as: UInt64.self)
    }
}
