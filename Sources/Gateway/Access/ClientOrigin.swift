/// Where a client is, as far as the server knows: by this it is counted.
struct ClientOrigin: Sendable, Hashable {
    /// The other end of the connection, or the client that a trusted proxy names.
    var address: ClientAddress?
    var forwarding = Forwarding.none
    /// Host and port by which it came to this server itself, over TLS.
    var secureAuthority: String?

    /// This server's own doings, and tests.
    static let unknown = ClientOrigin()
}
