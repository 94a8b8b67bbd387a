import COpenSSL

// What libssl calls. Each callback finds its connection and forwards in one line.
//
// Safe: a BIO's data is the connection, unretained, which outlives its SSL and with it the BIO. The method is made once,
// complete before it is seen, and never freed. What ALPN's callback reads lies within the `count` bytes that libssl gives, and what
// it chooses there is copied before they go.

/// Of a BIO that reads what was received and keeps what is to be sent; `nil` without memory for it.
nonisolated(unsafe) let tlsBufferMethod: OpaquePointer? = {
    guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "byte buffers") else { return nil }
    BIO_meth_set_write(method, tlsWrite)
    BIO_meth_set_read(method, tlsRead)
    BIO_meth_set_ctrl(method, tlsControl)
    return method
}()

private func connection(of bio: OpaquePointer?) -> TLSConnection? {
    BIO_get_data(bio).map { Unmanaged<TLSConnection>.fromOpaque($0).takeUnretainedValue() }
}

private func tlsWrite(_ bio: OpaquePointer?, _ bytes: UnsafePointer<CChar>?, _ count: CInt) -> CInt {
    guard count > 0 else { return 0 }
    connection(of: bio)?.recordsWritten(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
    return count
}

private func tlsRead(_ bio: OpaquePointer?, _ bytes: UnsafeMutablePointer<CChar>?, _ capacity: CInt) -> CInt {
    rh_BIO_clear_retry_flags(bio)
    let buffer = UnsafeMutableRawBufferPointer(start: bytes, count: Int(max(0, capacity)))
    if let count = connection(of: bio)?.takeIncoming(into: buffer), count > 0 {
        return CInt(truncatingIfNeeded: count)
    }
    rh_BIO_set_retry_read(bio)
    return -1
}

private func tlsControl(
    _ bio: OpaquePointer?, _ command: CInt, _ number: Int, _ pointer: UnsafeMutableRawPointer?
) -> Int {
    // Everything else (pending counts, end of file) is truthfully zero.
    command == BIO_CTRL_FLUSH ? 1 : 0
}

/// Chooses what is spoken inside TLS (RFC 7301 §3.2): HTTP/2 before HTTP/1.1; with neither, HTTP/1.1 without an answer.
func tlsChooseProtocol(
    _ ssl: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenCount: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?, _ count: UInt32,
    _ argument: UnsafeMutableRawPointer?
) -> CInt {
    let names = UnsafeBufferPointer(start: offered, count: Int(count))
    for wanted in ["h2", "http/1.1"] {
        var start = 0
        while start < names.count {
            let end = start + 1 + Int(names[start])
            guard end <= names.count else { return SSL_TLSEXT_ERR_NOACK }
            if let offered, names[(start + 1)..<end].elementsEqual(wanted.utf8) {
                chosen?.pointee = offered + start + 1
                chosenCount?.pointee = names[start]
                return SSL_TLSEXT_ERR_OK
            }
            start = end
        }
    }
    return SSL_TLSEXT_ERR_NOACK
}
