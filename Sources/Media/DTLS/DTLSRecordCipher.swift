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
    /// What each record overwrites, so that none is allocated for: the nonce, and what is authenticated only.
    private var vector: [UInt8] = []
    private var authenticated: [UInt8] = []

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
        var fragment = [UInt8](repeating: 0, count: cipher.overhead + payload.count)
        let count = unsafe payload.withUnsafeBytes { payload in
            unsafe fragment.withUnsafeMutableBytes { unsafe seal(payload, header: header, nonce: nonce, into: $0) }
        }
        return count == nil ? nil : fragment
    }

    /// The same, written to where it is sent from.
    /// - Parameter output: of the fragment's length at least.
    /// - Returns: that length.
    mutating func seal(
        _ payload: UnsafeRawBufferPointer, header: DTLSRecordHeader, nonce: UInt64,
        into output: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let start = cipher.explicitLength
        let end = start + payload.count
        guard output.count >= end + DTLSCipher.tagLength, let context = unsafe ready(),
            let base = unsafe output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        else { return nil }
        for position in 0..<start {
            unsafe base[position] = UInt8(truncatingIfNeeded: nonce >> UInt64(56 - 8 * position))
        }
        let source = unsafe payload.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var written: Int32 = 0
        let isMade =
            unsafe begin(context, header: header, nonce: nonce)
            && (payload.isEmpty
                || EVP_CipherUpdate(
                    context, base + start, &written, source, Int32(truncatingIfNeeded: payload.count)) == 1)
            && EVP_CipherFinal_ex(context, base + end, &written) == 1
            && EVP_CIPHER_CTX_ctrl(
                context, EVP_CTRL_AEAD_GET_TAG, Int32(DTLSCipher.tagLength), base + end) == 1
        if !isMade { ERR_clear_error() }
        return isMade ? end + DTLSCipher.tagLength : nil
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
        // libcrypto takes the tag by a pointer it could write to, and copies it.
        let tag = unsafe UnsafeMutableRawPointer(mutating: base + (start + count))
        var payload = [UInt8](repeating: 0, count: count)
        var written: Int32 = 0
        var last: UInt8 = 0
        let source = unsafe base.assumingMemoryBound(to: UInt8.self) + start
        let isAuthentic =
            unsafe begin(context, header: inner, nonce: nonce)
            && (count == 0
                || EVP_CipherUpdate(context, &payload, &written, source, Int32(truncatingIfNeeded: count)) == 1)
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(DTLSCipher.tagLength), tag) == 1
            && EVP_CipherFinal_ex(context, &last, &written) == 1
        if !isAuthentic { ERR_clear_error() }
        return isAuthentic ? payload : nil
    }

    /// Sets the nonce and takes in what is authenticated only (RFC 5246 §6.2.3.3).
    private mutating func begin(_ context: OpaquePointer, header: DTLSRecordHeader, nonce: UInt64) -> Bool {
        for position in 0..<8 {
            let salt = 4 + position < key.salt.count ? key.salt[4 + position] : 0
            vector[4 + position] = salt ^ UInt8(truncatingIfNeeded: nonce >> UInt64(56 - 8 * position))
        }
        header.writeAuthenticated(to: &authenticated)
        var written: Int32 = 0
        return unsafe EVP_CipherInit_ex(context, nil, nil, nil, vector, seals ? 1 : 0) == 1
            && EVP_CipherUpdate(
                context, nil, &written, authenticated, Int32(truncatingIfNeeded: authenticated.count)) == 1
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
        vector = Array(key.salt.prefix(12)) + [UInt8](repeating: 0, count: 12 - min(key.salt.count, 12))
        authenticated = [UInt8](repeating: 0, count: DTLSRecordHeader.length)
        return unsafe made
    }
}
