import COpenSSL
import NIOCore
import Testing

@testable import RoundhouseGateway

/// The client's end of a TLS connection, by libssl, in memory.
// Safe: libssl owns both BIOs once they are set; everything is freed once, in `deinit`; buffers are used within their calls.
final class TLSClient {
    let ssl: OpaquePointer
    private let context: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer

    init(
        _ protocols: [String] = [], versions: ClosedRange<Int32> = TLS1_2_VERSION...TLS1_3_VERSION,
        ciphers: String? = nil
    ) throws {
        context = try #require(SSL_CTX_new(TLS_client_method()))
        // Versions that libssl itself would not speak any more are for the server to refuse.
        SSL_CTX_set_security_level(context, 0)
        rh_SSL_CTX_set_minimum_version(context, versions.lowerBound)
        rh_SSL_CTX_set_maximum_version(context, versions.upperBound)
        if let ciphers { try #require(SSL_CTX_set_cipher_list(context, ciphers) == 1) }
        ssl = try #require(SSL_new(context))
        input = try #require(BIO_new(BIO_s_mem()))
        output = try #require(BIO_new(BIO_s_mem()))
        SSL_set_bio(ssl, input, output)
        let names = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        if !names.isEmpty { SSL_set_alpn_protos(ssl, names, UInt32(names.count)) }
        SSL_set_connect_state(ssl)
    }

    deinit {
        SSL_free(ssl)
        SSL_CTX_free(context)
    }

    func receive(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        if !bytes.isEmpty { BIO_write(input, bytes, Int32(bytes.count)) }
    }

    func takeOutput() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(output))
        if !bytes.isEmpty { BIO_read(output, &bytes, Int32(bytes.count)) }
        return bytes
    }

    /// - Returns: whether it is over.
    func handshake() -> Bool {
        defer { ERR_clear_error() }
        return SSL_do_handshake(ssl) == 1
    }

    func write(_ text: String) throws { try write(Array(text.utf8)) }

    func write(_ bytes: [UInt8]) throws {
        try #require(SSL_write(ssl, bytes, Int32(bytes.count)) == bytes.count)
    }

    /// All that can be read now.
    func read() -> [UInt8] {
        defer { ERR_clear_error() }
        var all: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = SSL_read(ssl, &bytes, Int32(bytes.count))
            guard count > 0 else { return all }
            all += bytes[..<Int(count)]
        }
    }

    /// Says that it sends no more (close_notify).
    func end() {
        SSL_shutdown(ssl)
        ERR_clear_error()
    }

    /// Whether the server has said that it sends no more.
    var hasEnded: Bool { SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0 }
}
