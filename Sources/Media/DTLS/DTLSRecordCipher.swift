import COpenSSL

/// Seals or opens the records of one direction with one key.
// Safe: `context` is made once, by the first record, and freed in deinit; every buffer passed in is read and written only
// within the lengths that are checked or allocated right before.
@safe struct DTLSRecordCipher: ~Copyable {
    private let cipher: DTLSCipher
    private let key: DTLSTrafficKey
    private let seals: Bool
    /// Most associations exchange no record after the handshake: a context costs a kilobyte.
    private var context: OpaquePointer?

    /// - Parameter key: has the lengths of `cipher`.
    init(_ cipher: DTLSCipher, key: DTLSTrafficKey, seals: Bool) {
        self.cipher = cipher
        self.key = key
        self.seals = seals
    }

    deinit { unsafe EVP_CIPHER_CTX_free(context) }

    /// A fragment: explicit nonce, ciphertext, tag. `nil` when libcrypto fails and nothing may be sent.
    /// - Parameters:
    ///   - header: its length is that of `payload`, as it is authenticated.
    ///   - nonce: never twice with one key.
    mutating func sealed(_ payload: [UInt8], header: DTLSRecordHeader, nonce: UInt64) -> [UInt8]? {
        guard let context = unsafe ready() else { return nil }
        let start = cipher.explicitLength
        var fragment = [UInt8](repeating: 0, count: cipher.overhead + payload.count)
        for position in 0..<start { fragment[position] = UInt8(truncatingIfNeeded: nonce >> UInt64(56 - 8 * position)) }
        let made = unsafe fragment.withUnsafeMutableBytes { output in
            guard let base = unsafe output.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
            var written: Int32 = 0
            return unsafe begin(context, header: header, nonce: nonce)
                && (payload.isEmpty
                    || EVP_CipherUpdate(
                        context, base + start, &written, payload, Int32(truncatingIfNeeded: payload.count)) == 1)
                && EVP_CipherFinal_ex(context, base + (start + payload.count), &written) == 1
                && EVP_CIPHER_CTX_ctrl(
                    context, EVP_CTRL_AEAD_GET_TAG, Int32(DTLSCipher.tagLength), base + (start + payload.count)) == 1
        }
        if !made { ERR_clear_error() }
        return made ? fragment : nil
    }

    /// What a fragment holds; `nil` when it is not authentic.
    /// - Parameter header: as it came.
    mutating func opened(_ fragment: UnsafeRawBufferPointer, header: DTLSRecordHeader) -> [UInt8]? {
        let count = fragment.count - cipher.overhead
        guard count >= 0, let base = fragment.baseAddress, let context = unsafe ready() else { return nil }
        let start = cipher.explicitLength
        var nonce = header.number
        if start > 0 {
            nonce = unsafe UInt64(fragment.uint32(provenAt: 0)) << 32 | UInt64(fragment.uint32(provenAt: 4))
        }
        var inner = header
        inner.fragmentLength = count
        // libcrypto takes the tag by a pointer it could write to.
        var tag = unsafe [UInt8](fragment[(start + count)...])
        var payload = [UInt8](repeating: 0, count: count)
        var written: Int32 = 0
        var last: [UInt8] = [0]
        let source = unsafe base.assumingMemoryBound(to: UInt8.self) + start
        let isAuthentic =
            unsafe begin(context, header: inner, nonce: nonce)
            && (count == 0
                || EVP_CipherUpdate(context, &payload, &written, source, Int32(truncatingIfNeeded: count)) == 1)
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(DTLSCipher.tagLength), &tag) == 1
            && EVP_CipherFinal_ex(context, &last, &written) == 1
        if !isAuthentic { ERR_clear_error() }
        return isAuthentic ? payload : nil
    }

    /// Sets the nonce and takes in what is authenticated only (RFC 5246 §6.2.3.3).
    private func begin(_ context: OpaquePointer, header: DTLSRecordHeader, nonce: UInt64) -> Bool {
        var vector = key.salt + [UInt8](repeating: 0, count: 12 - key.salt.count)
        for position in 0..<8 { vector[4 + position] ^= UInt8(truncatingIfNeeded: nonce >> UInt64(56 - 8 * position)) }
        // The header's fields in another order: number, type, version, length.
        let bytes = header.bytes
        let authenticated = bytes[3..<11] + bytes[0..<3] + bytes[11..<13]
        var written: Int32 = 0
        return unsafe EVP_CipherInit_ex(context, nil, nil, nil, vector, seals ? 1 : 0) == 1
            && EVP_CipherUpdate(
                context, nil, &written, Array(authenticated), Int32(truncatingIfNeeded: authenticated.count)) == 1
    }

    private mutating func ready() -> OpaquePointer? {
        if let context = unsafe context { return unsafe context }
        let algorithm =
            switch cipher {
            case .aes128GCM: unsafe EVP_aes_128_gcm()
            case .aes256GCM: unsafe EVP_aes_256_gcm()
            case .chaCha20Poly1305: unsafe EVP_chacha20_poly1305()
            }
        // The vector of 12 bytes is what all three take by themselves.
        guard key.fits(cipher), let made = unsafe EVP_CIPHER_CTX_new() else { return nil }
        guard unsafe EVP_CipherInit_ex(made, algorithm, nil, key.encryptionKey, nil, seals ? 1 : 0) == 1 else {
            ERR_clear_error()
            unsafe EVP_CIPHER_CTX_free(made)
            return nil
        }
        unsafe context = made
        return unsafe made
    }
}
