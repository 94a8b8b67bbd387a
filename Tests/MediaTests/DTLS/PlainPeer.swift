import COpenSSL
import Testing

@testable import RoundhouseMedia

/// A DTLS context with a certificate and nothing of ours: default ciphers, use_srtp only when asked for.
final class PlainContext {
    let context: OpaquePointer

    init(like certificate: DTLSCertificate, ciphers: String? = nil, offersSRTP: Bool = false) throws {
        context = try #require(SSL_CTX_new(DTLS_method()))
        SSL_CTX_use_certificate(context, SSL_CTX_get0_certificate(certificate.context))
        SSL_CTX_use_PrivateKey(context, SSL_CTX_get0_privatekey(certificate.context))
        SSL_CTX_set_options(context, rh_SSL_OP_NO_QUERY_MTU)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        SSL_CTX_set_cert_verify_callback(context, dtlsAcceptAnyCertificate, nil)
        if let ciphers { try #require(SSL_CTX_set_cipher_list(context, ciphers) == 1) }
        if offersSRTP { try #require(DTLSCertificate.offerProfiles([.aeadAES128GCM], in: context)) }
    }

    deinit { SSL_CTX_free(context) }
}

/// A peer over libssl's own memory BIOs: another way in and out than `DTLSConnection`'s.
final class PlainPeer {
    enum Reading: Equatable { case data([UInt8]), closed, failed(reason: Int32), nothing }

    let ssl: OpaquePointer
    private let context: PlainContext
    private let input: OpaquePointer
    private let output: OpaquePointer

    init(context: PlainContext, isClient: Bool = true) throws {
        self.context = context
        ssl = try #require(SSL_new(context.context))
        input = try #require(BIO_new(BIO_s_mem()))
        output = try #require(BIO_new(BIO_s_mem()))
        SSL_set_bio(ssl, input, output)
        if isClient { SSL_set_connect_state(ssl) } else { SSL_set_accept_state(ssl) }
        _ = rh_SSL_set_mtu(ssl, 1200)
    }

    deinit { SSL_free(ssl) }

    func handshake(with connection: DTLSConnection, at now: MediaInstant) {
        for _ in 0..<10 {
            _ = SSL_do_handshake(ssl)
            if let bytes = taken() { bytes.withUnsafeBytes { connection.datagramReceived($0, at: now) } }
            while let bytes = DTLSPair.polled(connection) {
                give(bytes)
                _ = SSL_do_handshake(ssl)
            }
        }
        ERR_clear_error()
    }

    /// What libssl wrote, in one piece: several records in a datagram are DTLS too (RFC 6347 §4.1.1).
    func taken() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 20_000)
        let count = BIO_read(output, &buffer, Int32(buffer.count))
        return count > 0 ? Array(buffer[..<Int(count)]) : nil
    }

    func give(_ datagram: [UInt8]) { _ = BIO_write(input, datagram, Int32(datagram.count)) }

    func send(_ payload: [UInt8]) -> Bool { SSL_write(ssl, payload, Int32(payload.count)) == payload.count }

    /// `true` when the other side has said goodbye, too.
    func close() -> Bool { SSL_shutdown(ssl) == 1 }

    func read() -> Reading {
        ERR_clear_error()
        defer { ERR_clear_error() }
        var buffer = [UInt8](repeating: 0, count: 20_000)
        let count = SSL_read(ssl, &buffer, Int32(buffer.count))
        if count > 0 { return .data(Array(buffer[..<Int(count)])) }
        switch SSL_get_error(ssl, count) {
        case SSL_ERROR_WANT_READ: return .nothing
        case SSL_ERROR_ZERO_RETURN: return .closed
        default: return .failed(reason: ERR_GET_REASON(ERR_peek_last_error()))
        }
    }
}
