import COpenSSL

/// Verifies signatures with one key, by libcrypto.
// Sendable: the key is only read once it is made, which libcrypto allows from any thread; each use has a context of its own.
// Safe: the key is freed once, with the last reference to this object; pointers into arrays are used within their calls, and
// `Parts` owns copies of what libcrypto reads after them.
final class SignatureVerifier: @unchecked Sendable {
    private let material: KeyMaterial
    /// `nil` for a secret.
    private let key: OpaquePointer?

    /// - Returns: `nil` for numbers that are no key, such as a point that is not on its curve.
    init?(_ material: KeyMaterial) {
        self.material = material
        switch material {
        case .secret:
            key = nil
        case .rsa(let modulus, let exponent):
            key = Self.key("RSA") { build in
                build.push(modulus, OSSL_PKEY_PARAM_RSA_N) && build.push(exponent, OSSL_PKEY_PARAM_RSA_E)
            }
            if key == nil { return nil }
        case .p256(let x, let y):
            key = Self.key("EC") { build in
                build.push(text: "prime256v1", OSSL_PKEY_PARAM_GROUP_NAME)
                    && build.push(bytes: [4] + x + y, OSSL_PKEY_PARAM_PUB_KEY)
            }
            if key == nil { return nil }
        case .ed25519(let bytes):
            key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count)
            ERR_clear_error()
            if key == nil { return nil }
        }
    }

    deinit { EVP_PKEY_free(key) }

    /// Whether a signature as RFC 7518 and RFC 8037 write it is one of this key.
    func verify(_ signature: [UInt8], of signed: [UInt8]) -> Bool {
        defer { ERR_clear_error() }
        switch material {
        case .secret(let secret):
            guard let code = Self.authenticationCode(of: signed, with: secret) else { return false }
            return code.count == signature.count && CRYPTO_memcmp(code, signature, code.count) == 0
        case .rsa(let modulus, _):
            return signature.count == modulus.count && verify(signature, of: signed, digest: EVP_sha256())
        case .p256:
            guard let encoded = Self.encodedSignature(signature) else { return false }
            return verify(encoded, of: signed, digest: EVP_sha256())
        case .ed25519:
            return signature.count == 64 && verify(signature, of: signed, digest: nil)
        }
    }

    private func verify(_ signature: [UInt8], of signed: [UInt8], digest: OpaquePointer?) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        return EVP_DigestVerifyInit(context, nil, digest, nil, key) == 1
            && EVP_DigestVerify(context, signature, signature.count, signed, signed.count) == 1
    }

    /// HMAC-SHA-256, always of 32 bytes.
    /// - Returns: `nil` if libcrypto refuses, for want of memory or by its own configuration. No bytes would be equal to the
    ///   signature of a token without one.
    static func authenticationCode(of bytes: [UInt8], with secret: [UInt8]) -> [UInt8]? {
        var code = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        guard
            HMAC(EVP_sha256(), secret, Int32(clamping: secret.count), bytes, bytes.count, &code, &count) != nil,
            count == 32
        else {
            ERR_clear_error()
            return nil
        }
        return code
    }

    /// Two numbers of 32 bytes (RFC 7518 §3.4) as libcrypto reads them. It refuses zero, and what is not below the curve's order.
    private static func encodedSignature(_ signature: [UInt8]) -> [UInt8]? {
        guard signature.count == 64, let pair = ECDSA_SIG_new() else { return nil }
        defer { ECDSA_SIG_free(pair) }
        let r = BN_bin2bn(Array(signature[..<32]), 32, nil)
        let s = BN_bin2bn(Array(signature[32...]), 32, nil)
        guard ECDSA_SIG_set0(pair, r, s) == 1 else {
            BN_free(r)
            BN_free(s)
            return nil
        }
        // Two INTEGERs of at most 33 bytes in a SEQUENCE.
        var encoded = [UInt8](repeating: 0, count: 80)
        let count = encoded.withUnsafeMutableBufferPointer { bytes in
            var end = bytes.baseAddress
            return i2d_ECDSA_SIG(pair, nil) <= 80 ? i2d_ECDSA_SIG(pair, &end) : -1
        }
        return count > 0 ? Array(encoded.prefix(Int(count))) : nil
    }

    // MARK: Making keys

    /// What a key is made of, until it is made.
    private final class Parts {
        let builder: OpaquePointer
        private var numbers: [OpaquePointer] = []
        private var copies: [UnsafeMutableRawBufferPointer] = []

        init?() {
            guard let builder = OSSL_PARAM_BLD_new() else { return nil }
            self.builder = builder
        }

        deinit {
            OSSL_PARAM_BLD_free(builder)
            for number in numbers { BN_free(number) }
            for copy in copies { copy.deallocate() }
        }

        func push(_ number: [UInt8], _ name: String) -> Bool {
            guard let value = BN_bin2bn(number, Int32(clamping: number.count), nil) else { return false }
            numbers.append(value)
            return OSSL_PARAM_BLD_push_BN(builder, kept(name), value) == 1
        }

        func push(text: String, _ name: String) -> Bool {
            OSSL_PARAM_BLD_push_utf8_string(builder, kept(name), kept(text), 0) == 1
        }

        func push(bytes: [UInt8], _ name: String) -> Bool {
            OSSL_PARAM_BLD_push_octet_string(builder, kept(name), kept(bytes), bytes.count) == 1
        }

        private func kept(_ text: String) -> UnsafePointer<CChar>? {
            UnsafePointer(kept(Array(text.utf8))?.assumingMemoryBound(to: CChar.self))
        }

        /// A copy with a zero behind it. The builder notes only pointers, those of names too, and reads what is there when
        /// the parameters are made: what Swift passes for the time of a call is gone by then.
        private func kept(_ bytes: [UInt8]) -> UnsafeMutableRawPointer? {
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + 1, alignment: 1)
            copy.copyBytes(from: bytes + [0])
            copies.append(copy)
            return copy.baseAddress
        }
    }

    /// The public key of a type, with what `fill` says of it.
    private static func key(_ type: String, _ fill: (Parts) -> Bool) -> OpaquePointer? {
        defer { ERR_clear_error() }
        guard let parts = Parts(), fill(parts), let parameters = OSSL_PARAM_BLD_to_param(parts.builder) else {
            return nil
        }
        defer { OSSL_PARAM_free(parameters) }
        guard let context = EVP_PKEY_CTX_new_from_name(nil, type, nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_fromdata_init(context) == 1,
            EVP_PKEY_fromdata(context, &key, rh_EVP_PKEY_PUBLIC_KEY, parameters) == 1, let key
        else {
            EVP_PKEY_free(key)
            return nil
        }
        guard let check = EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else {
            EVP_PKEY_free(key)
            return nil
        }
        defer { EVP_PKEY_CTX_free(check) }
        guard EVP_PKEY_public_check(check) == 1 else {
            EVP_PKEY_free(key)
            return nil
        }
        return key
    }
}
