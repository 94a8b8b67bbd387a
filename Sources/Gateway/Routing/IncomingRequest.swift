import HTTPTypes

/// A whole HTTP request, of whichever version.
struct IncomingRequest: Sendable {
    var head: HTTPRequest
    var body: [UInt8] = []
    /// What the body's bytes are borrowed by, until the request is answered.
    var loan: MemoryLoan?
    /// The other end of the connection, or the client that a trusted proxy names.
    var remoteAddress: ClientAddress?
    var forwarding = Forwarding.none
    /// Whether it came over TLS.
    var isEncrypted = false

    var origin: ClientOrigin {
        ClientOrigin(
            address: remoteAddress, forwarding: forwarding,
            secureAuthority: isEncrypted && forwarding == .none ? head.authority : nil)
    }

    /// The client's address, if it is known to be the client's.
    var ownAddress: ClientAddress? { forwarding == .byUnknownProxy ? nil : remoteAddress }

    /// The target's path and query, decoded; `nil` if the percent encoding is broken.
    var target: RequestTarget? { RequestTarget(head.path ?? "/") }
}
