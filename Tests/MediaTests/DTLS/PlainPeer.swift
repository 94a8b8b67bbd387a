import COpenSSL
import Testing

@testable import Media

/// A DTLS context with a certificate and nothing of ours: no use_srtp, default ciphers.
final class PlainContext {
    let context: OpaquePointer

    init(like certificate: DTLSCertificate) throws {
        context = try #require(SSL_CTX_new(DTLS_method()))
        SSL_CTX_use_certificate(context, SSL_CTX_get0_certificate(certificate.context))
        SSL_CTX_use_PrivateKey(context, SSL_CTX_get0_privatekey(certificate.context))
        SSL_CTX_set_options(context, rh_SSL_OP_NO_QUERY_MTU)
        SSL_CTX_set_cert_verify_callback(context, dtlsAcceptAnyCertificate, nil)
    }

    deinit { SSL_CTX_free(context) }
}

/// A client over libssl's own memory BIOs: another way in and out than `DTLSConnection`'s.
final class PlainPeer {
    let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer

    init(context: OpaquePointer) throws {
        ssl = try #require(SSL_new(context))
        input = try #require(BIO_new(BIO_s_mem()))
        output = try #require(BIO_new(BIO_s_mem()))
        SSL_set_bio(ssl, input, output)
        SSL_set_connect_state(ssl)
        _ = rh_SSL_set_mtu(ssl, 1200)
    }

    deinit { SSL_free(ssl) }

    func handshake(with server: DTLSConnection, at now: MediaInstant) {
        var buffer = [UInt8](repeating: 0, count: 20_000)
        for _ in 0..<10 {
            _ = SSL_do_handshake(ssl)
            // Whole flights go in one piece: several records in a datagram are DTLS too (RFC 6347 §4.1.1).
            let count = BIO_read(output, &buffer, Int32(buffer.count))
            if count > 0 { buffer[..<Int(count)].withUnsafeBytes { server.datagramReceived($0, at: now) } }
            while let bytes = DTLSPair.polled(server) {
                _ = BIO_write(input, bytes, Int32(bytes.count))
                _ = SSL_do_handshake(ssl)
            }
        }
        ERR_clear_error()
    }
}
