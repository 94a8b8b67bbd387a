import COpenSSL
import NIOCore

/// The server's end of one TLS connection (RFC 8446, RFC 5246), by libssl: bytes in, bytes out.
///
/// A machine: it has no socket and no clock. It is used on one event loop; the last reference may go on any thread.
// Safe: the BIO holds this object unretained; that is set in `init`, and libssl calls back only within a call made here on its
// own SSL, or within SSL_free in `deinit`, which reads and writes nothing. Buffers are used within their calls.
final class TLSConnection {
    enum Handshake {
        case needsMore
        /// - Parameter applicationProtocol: what ALPN chose, if anything.
        case completed(applicationProtocol: String?)
    }

    private let ssl: OpaquePointer
    /// What libssl has not read yet: nothing outside of a call, since it takes what there is, the part of a record included.
    private var incoming = ByteBuffer()
    /// Records for the client.
    private var outgoing: [ByteBuffer] = []
    /// How many bytes libssl is about to write.
    private var announced = 0
    private var hasFailed = false

    /// The most that a record holds (RFC 8446 §5.1).
    static let recordBytes = 16_384
    /// More than header, nonce, content type and tag of a record.
    private static let recordOverhead = 48
    /// The most that one buffer of records holds: a long write is not copied again each time that its buffer grows.
    private static let chunkBytes = 65_536

    init(_ context: TLSContext) throws(TLSProblem) {
        ERR_clear_error()
        guard let method = tlsBufferMethod, let ssl = SSL_new(context.context) else {
            throw .noted("libssl is out of memory")
        }
        guard let bio = BIO_new(method) else {
            SSL_free(ssl)
            throw .noted("libssl is out of memory")
        }
        self.ssl = ssl
        BIO_set_init(bio, 1)
        BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        // One BIO for both ways: libssl owns it from here on.
        SSL_set_bio(ssl, bio, bio)
        SSL_set_accept_state(ssl)
    }

    deinit { SSL_free(ssl) }

    /// Takes bytes of the client.
    func receive(_ bytes: ByteBuffer) {
        guard incoming.readableBytes > 0 else { return incoming = bytes }
        incoming.writeImmutableBuffer(bytes)
    }

    /// What there is for the client now, an alert after a failure included.
    func takeOutgoing() -> [ByteBuffer] {
        defer { outgoing = [] }
        return outgoing
    }

    /// Whether the client has said that it sends no more (close_notify).
    var clientHasEnded: Bool { SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0 }

    /// Goes on with the handshake.
    func handshake() throws(TLSProblem) -> Handshake {
        guard !hasFailed else { throw TLSProblem("the handshake has failed") }
        ERR_clear_error()
        return try isDone(SSL_do_handshake(ssl), "the handshake failed")
            ? .completed(applicationProtocol: applicationProtocol) : .needsMore
    }

    private var applicationProtocol: String? {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &count)
        return name.map { String(decoding: UnsafeBufferPointer(start: $0, count: Int(count)), as: UTF8.self) }
    }

    /// Decrypts all that has been received; after the handshake.
    func read(into buffer: inout ByteBuffer) throws(TLSProblem) {
        guard !hasFailed else { throw TLSProblem("the connection has failed") }
        while incoming.readableBytes > 0 || SSL_has_pending(ssl) == 1 {
            var result: CInt = 0
            // What other connections left there would be taken for this one's.
            ERR_clear_error()
            // Plaintext is shorter than its records, and what does not fit comes at the next call.
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: max(incoming.readableBytes, 256)) { bytes in
                var count = 0
                result = SSL_read_ex(ssl, bytes.baseAddress, bytes.count, &count)
                return count
            }
            let hasMore = try isDone(result, "the connection failed")
            try refuseRenegotiation()
            if !hasMore { return }
        }
    }

    /// Under TLS 1.2 reading has libssl write for one reason only: it refuses a ClientHello by an alert that is no failure
    /// (RFC 5246 §7.2.2). A client that repeats it and never reads would fill the memory with alerts.
    private func refuseRenegotiation() throws(TLSProblem) {
        guard !outgoing.isEmpty, SSL_version(ssl) == TLS1_2_VERSION else { return }
        hasFailed = true
        throw TLSProblem("renegotiation is not supported")
    }

    /// Encrypts; after the handshake.
    func write(_ bytes: ByteBuffer) throws(TLSProblem) {
        guard !hasFailed else { throw TLSProblem("the connection has failed") }
        guard bytes.readableBytes > 0 else { return }
        let records = bytes.readableBytes / Self.recordBytes + 1
        announced = bytes.readableBytes + records * Self.recordOverhead
        defer { announced = 0 }
        var count = 0
        ERR_clear_error()
        let result = bytes.withUnsafeReadableBytes { SSL_write_ex(ssl, $0.baseAddress, $0.count, &count) }
        // The BIO takes everything, so that all is written, or the connection is at its end.
        guard try isDone(result, "the connection failed"), count == bytes.readableBytes else {
            hasFailed = true
            throw TLSProblem("libssl wrote \(count) of \(bytes.readableBytes) bytes")
        }
    }

    /// Says that nothing more comes (close_notify), if that can still be said.
    func end() {
        guard !hasFailed, SSL_is_init_finished(ssl) == 1 else { return }
        ERR_clear_error()
        SSL_shutdown(ssl)
        ERR_clear_error()
    }

    /// Judges what a call of libssl has returned, right after it.
    /// - Returns: `false` if it wants more bytes of the client, or none will come.
    private func isDone(_ result: CInt, _ fallback: String) throws(TLSProblem) -> Bool {
        if result == 1 { return true }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_ZERO_RETURN: return false
        default:
            hasFailed = true
            throw .noted(fallback)
        }
    }

    // MARK: What libssl's BIO does

    func recordsWritten(_ bytes: UnsafeRawBufferPointer) {
        if let last = outgoing.indices.last, outgoing[last].writableBytes >= bytes.count {
            outgoing[last].writeBytes(bytes)
        } else {
            var chunk = ByteBuffer()
            chunk.reserveCapacity(max(bytes.count, min(announced, Self.chunkBytes)))
            chunk.writeBytes(bytes)
            outgoing.append(chunk)
        }
        announced = max(0, announced - bytes.count)
    }

    func takeIncoming(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = incoming.readWithUnsafeReadableBytes { bytes in
            let count = min(bytes.count, buffer.count)
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            return count
        }
        if incoming.readableBytes == 0 { incoming = ByteBuffer() }
        return count
    }
}
