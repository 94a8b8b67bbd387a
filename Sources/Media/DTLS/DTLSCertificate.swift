import COpenSSL

/// The server's DTLS identity: certificate, key, and the SSL context its connections share.
///
/// Made once at start. WebRTC trusts a certificate by its fingerprint only (RFC 8827 §6.5), so a self-signed one serves
/// as well as any other.
// Sendable: every stored property is a `let`; after init the context is only read, and `SSL_new` on it is thread-safe
// (its reference count is atomic and its certificate, key and options are never changed again).
// Safe: `context` and `datagramMethod` are made in `init` and freed in `deinit` only; every connection keeps this object.
@safe final class DTLSCertificate: @unchecked Sendable {
    /// Digests of the certificate, one for each algorithm, in the order of `DTLSFingerprint.Algorithm.allCases`.
    let fingerprints: [DTLSFingerprint]
    /// The `SSL_CTX`.
    let context: OpaquePointer
    /// The `BIO_METHOD` of the connections' datagram BIOs; it has to outlive them.
    let datagramMethod: OpaquePointer

    /// Makes an EC P-256 key and a self-signed certificate, valid from ten years ago for twenty years.
    /// - Parameter isLegacy: whether CBC suites and SRTP tags of 32 bits are offered, too.
    convenience init(isLegacy: Bool = false) throws(MediaError) {
        guard let key = unsafe rh_EVP_EC_gen("P-256") else { throw Self.failure("cannot make an EC P-256 key") }
        defer { unsafe EVP_PKEY_free(key) }
        guard let certificate = unsafe X509_new() else { throw Self.failure("cannot make a certificate") }
        defer { unsafe X509_free(certificate) }
        let tenYears = 10 * 365 * 86_400
        try unsafe SelfSignedCertificate.fill(certificate, key: key, from: -tenYears, to: tenYears)
        unsafe try self.init(certificate: certificate, key: key, isLegacy: isLegacy)
    }

    /// Reads a certificate and its key from PEM files. The certificate file's first certificate counts.
    convenience init(
        certificateFile: String, privateKeyFile: String, isLegacy: Bool = false
    ) throws(MediaError) {
        let certificate = try unsafe PEMFile.certificate(certificateFile)
        defer { unsafe X509_free(certificate) }
        let key = try unsafe PEMFile.privateKey(privateKeyFile)
        defer { unsafe EVP_PKEY_free(key) }
        guard unsafe X509_check_private_key(certificate, key) == 1 else {
            ERR_clear_error()
            throw MediaError(.certificate, "the key in \(privateKeyFile) does not belong to \(certificateFile)")
        }
        unsafe try self.init(certificate: certificate, key: key, isLegacy: isLegacy)
    }

    private init(certificate: OpaquePointer, key: OpaquePointer, isLegacy: Bool) throws(MediaError) {
        let encoded = unsafe SelfSignedCertificate.encode { unsafe i2d_X509(certificate, $0) }
        guard let fingerprints = Self.fingerprints(of: encoded) else {
            throw Self.failure("cannot compute the fingerprints")
        }
        guard let method = unsafe DTLSHandshake.makeDatagramMethod() else {
            throw Self.failure("cannot make a BIO method")
        }
        guard let context = unsafe SSL_CTX_new(DTLS_method()) else {
            unsafe BIO_meth_free(method)
            throw Self.failure("cannot make an SSL context")
        }
        self.fingerprints = fingerprints
        unsafe self.context = context
        unsafe self.datagramMethod = method
        guard unsafe SSL_CTX_use_certificate(context, certificate) == 1,
            unsafe SSL_CTX_use_PrivateKey(context, key) == 1
        else {
            throw Self.failure("the SSL context refuses the certificate")
        }
        guard unsafe Self.configure(context, isLegacy: isLegacy) else {
            throw Self.failure("the SSL context refuses its settings")
        }
    }

    deinit {
        unsafe SSL_CTX_free(context)
        unsafe BIO_meth_free(datagramMethod)
    }

    /// All digests of a certificate in DER; `nil` when libcrypto refuses.
    static func fingerprints(of encoded: [UInt8]) -> [DTLSFingerprint]? {
        var all: [DTLSFingerprint] = []
        for algorithm in DTLSFingerprint.Algorithm.allCases {
            guard let one = fingerprint(of: encoded, algorithm) else { return nil }
            all.append(one)
        }
        return all
    }

    /// The digest of a certificate in DER (RFC 8122 §5).
    static func fingerprint(of encoded: [UInt8], _ algorithm: DTLSFingerprint.Algorithm) -> DTLSFingerprint? {
        let digest =
            switch algorithm {
            case .sha1: unsafe EVP_sha1()
            case .sha224: unsafe EVP_sha224()
            case .sha256: unsafe EVP_sha256()
            case .sha384: unsafe EVP_sha384()
            case .sha512: unsafe EVP_sha512()
            }
        var value = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        guard !encoded.isEmpty, unsafe EVP_Digest(encoded, encoded.count, &value, &length, digest, nil) == 1,
            Int(length) == algorithm.length
        else { return nil }
        return DTLSFingerprint(algorithm: algorithm, value: Array(value.prefix(algorithm.length)))
    }

    private static func configure(_ context: OpaquePointer, isLegacy: Bool) -> Bool {
        unsafe SSL_CTX_set_options(
            context,
            rh_SSL_OP_NO_QUERY_MTU | rh_SSL_OP_NO_TICKET | rh_SSL_OP_CIPHER_SERVER_PREFERENCE
                | rh_SSL_OP_NO_RENEGOTIATION | rh_SSL_OP_NO_COMPRESSION)
        _ = unsafe rh_SSL_CTX_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS))
        _ = unsafe rh_SSL_CTX_disable_session_cache(context)
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        unsafe SSL_CTX_set_cert_verify_callback(context, dtlsAcceptAnyCertificate, nil)
        // The elliptic-curve suites RFC 8827 §6.5 asks of every endpoint come first.
        var ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE+CHACHA20:ECDHE+AESGCM"
        // Of SRTP every endpoint has AES-CM with tags of 80 bits.
        var profiles = [SRTPProfile.aeadAES128GCM, .aeadAES256GCM, .aes128CMHMACSHA1x80]
        if isLegacy {
            ciphers += ":ECDHE+AES+SHA1"
            profiles.append(.aes128CMHMACSHA1x32)
        }
        return unsafe rh_SSL_CTX_set_version(context, DTLS1_2_VERSION) == 1
            && SSL_CTX_set_cipher_list(context, ciphers) == 1
            // The last two are for certificates on these curves, which GnuTLS, ffmpeg 8.1's library, makes on request.
            && rh_SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384:P-521:P-224") == 1
            && offerProfiles(profiles, in: context)
    }

    /// Sets the SRTP profiles to negotiate, the preferred one first.
    static func offerProfiles(_ profiles: [SRTPProfile], in context: OpaquePointer) -> Bool {
        let names = profiles.map { profile in
            switch profile {
            case .aeadAES128GCM: "SRTP_AEAD_AES_128_GCM"
            case .aeadAES256GCM: "SRTP_AEAD_AES_256_GCM"
            case .aes128CMHMACSHA1x80: "SRTP_AES128_CM_SHA1_80"
            case .aes128CMHMACSHA1x32: "SRTP_AES128_CM_SHA1_32"
            }
        }
        // Unlike its neighbors this function answers 0 for success.
        return unsafe SSL_CTX_set_tlsext_use_srtp(context, names.joined(separator: ":")) == 0
    }

    static func failure(_ what: String) -> MediaError {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        let reason = unsafe code == 0 ? nil : ERR_reason_error_string(code).map { unsafe String(cString: $0) }
        return MediaError(.certificate, reason.map { "\(what): \($0)" } ?? what)
    }
}
