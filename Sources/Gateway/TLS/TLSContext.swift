import COpenSSL
import RoundhouseMedia

/// What TLS connections begin with: the certificate, its key, and what is offered.
// Sendable: nothing changes once it is made, and libssl counts the connections that refer to it atomically.
// Safe: the `SSL_CTX` is freed once, in `deinit`, and lives on while a connection's `SSL` refers to it; libssl copies or
// counts what it is given.
final class TLSContext: @unchecked Sendable {
    /// The `SSL_CTX`.
    let context: OpaquePointer

    /// - Parameters:
    ///   - certificate: a PEM file with the certificate, and then those that sign it.
    ///   - privateKey: a PEM file.
    convenience init(certificate: String, privateKey: String) throws(TLSProblem) {
        try self.init()
        try TLSFile.useCertificates(certificate, in: context)
        try TLSFile.usePrivateKey(privateKey, of: certificate, in: context)
    }

    /// With a certificate made now, that nobody has signed but its own key.
    static func selfSigned() throws(TLSProblem) -> TLSContext {
        let made: (certificate: [UInt8], privateKey: [UInt8])
        do throws(MediaError) {
            made = try SelfSignedCertificate.make()
        } catch {
            throw TLSProblem(error.message)
        }
        let context = try TLSContext()
        let isTaken =
            SSL_CTX_use_certificate_ASN1(context.context, CInt(made.certificate.count), made.certificate) == 1
            && SSL_CTX_use_PrivateKey_ASN1(EVP_PKEY_EC, context.context, made.privateKey, made.privateKey.count) == 1
        guard isTaken else { throw .noted("libssl does not take it") }
        return context
    }

    private init() throws(TLSProblem) {
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw .noted("libssl is out of memory") }
        self.context = context
        // No ticket and no cache: no session is resumed. A ticket's key that stays the same for months would open what was
        // recorded under TLS 1.2 (RFC 9325 §4.4.2), and connections that live for hours gain next to nothing.
        SSL_CTX_set_options(
            context, rh_SSL_OP_NO_RENEGOTIATION | rh_SSL_OP_NO_COMPRESSION | rh_SSL_OP_NO_TICKET)
        _ = rh_SSL_CTX_disable_session_cache(context)
        // An idle connection gives its record buffers back, 34 KB of them.
        _ = rh_SSL_CTX_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS))
        SSL_CTX_set_default_passwd_cb(context, tlsRefusePassphrase)
        SSL_CTX_set_alpn_select_cb(context, tlsChooseProtocol, nil)
        // Of TLS 1.2 what RFC 9113 §9.2.2 permits: forward secrecy and authenticated encryption.
        guard SSL_CTX_set_num_tickets(context, 0) == 1,
            rh_SSL_CTX_set_minimum_version(context, TLS1_2_VERSION) == 1,
            SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1
        else { throw .noted("libssl refuses its settings") }
    }

    deinit { SSL_CTX_free(context) }

    /// Whole days until the certificate's time is over; below zero afterwards.
    var daysLeft: Int? {
        guard let certificate = SSL_CTX_get0_certificate(context) else { return nil }
        var (days, seconds) = (CInt(0), CInt(0))
        guard ASN1_TIME_diff(&days, &seconds, nil, X509_get0_notAfter(certificate)) == 1 else { return nil }
        // Part of a day that is over counts as a whole one.
        return seconds < 0 ? Int(days) - 1 : Int(days)
    }
}
