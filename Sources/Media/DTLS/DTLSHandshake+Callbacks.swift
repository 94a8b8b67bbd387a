import COpenSSL

// What libssl calls. Each callback finds its handshake and forwards in one line.
//
// Safe: BIO data and SSL ex_data 0 hold the handshake unretained; they are set in its init, and libssl calls back only
// inside a call that the handshake makes on its own SSL, or inside SSL_free in its deinit, which reads and writes
// nothing through the BIO.

extension DTLSHandshake {
    /// A BIO that keeps datagrams apart: one write is one datagram, one read is at most one datagram.
    static func makeDatagramMethod() -> OpaquePointer? {
        guard let method = unsafe BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagram queue") else {
            return nil
        }
        unsafe BIO_meth_set_write(method, dtlsWrite)
        unsafe BIO_meth_set_read(method, dtlsRead)
        unsafe BIO_meth_set_ctrl(method, dtlsControl)
        return unsafe method
    }
}

private func handshake(of pointer: UnsafeMutableRawPointer?) -> DTLSHandshake? {
    unsafe pointer.map { unsafe Unmanaged<DTLSHandshake>.fromOpaque($0).takeUnretainedValue() }
}

private func dtlsWrite(_ bio: OpaquePointer?, _ bytes: UnsafePointer<CChar>?, _ count: Int32) -> Int32 {
    guard count > 0 else { return 0 }
    unsafe handshake(of: BIO_get_data(bio))?.datagramWritten(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
    return count
}

private func dtlsRead(_ bio: OpaquePointer?, _ bytes: UnsafeMutablePointer<CChar>?, _ capacity: Int32) -> Int32 {
    unsafe rh_BIO_clear_retry_flags(bio)
    let buffer = unsafe UnsafeMutableRawBufferPointer(start: bytes, count: Int(max(0, capacity)))
    if let count = unsafe handshake(of: BIO_get_data(bio))?.takeIncoming(into: buffer) {
        return Int32(truncatingIfNeeded: count)
    }
    unsafe rh_BIO_set_retry_read(bio)
    return -1
}

private func dtlsControl(
    _ bio: OpaquePointer?, _ command: Int32, _ number: Int, _ pointer: UnsafeMutableRawPointer?
) -> Int {
    switch command {
    case BIO_CTRL_FLUSH: 1
    // IPv4 and UDP; libssl takes it off its least MTU of 256, which leaves 228.
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD: 28
    // Everything else (pending counts, end of file, MTU queries, next timeout) is truthfully zero.
    default: 0
    }
}

/// The handshake timer's next length in microseconds: one second, then doubled up to a minute (RFC 6347 §4.2.4.1).
func dtlsNextTimeout(_ ssl: OpaquePointer?, _ current: UInt32) -> UInt32 {
    let next: UInt32 = current == 0 ? 1_000_000 : min(current, 30_000_000) * 2
    unsafe handshake(of: SSL_get_ex_data(ssl, 0))?.timeoutMicroseconds = next
    return next
}

/// Accepts any certificate: the fingerprint decides, and no chain is built.
func dtlsAcceptAnyCertificate(_ store: OpaquePointer?, _ argument: UnsafeMutableRawPointer?) -> Int32 {
    unsafe X509_STORE_CTX_set_error(store, X509_V_OK)
    return 1
}
