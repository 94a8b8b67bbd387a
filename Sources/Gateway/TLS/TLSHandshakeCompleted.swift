/// The event of a TLS handshake that is over: what is read from here on is decrypted.
struct TLSHandshakeCompleted {
    /// What ALPN chose, if anything.
    let applicationProtocol: String?
}
