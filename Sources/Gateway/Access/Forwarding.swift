/// Whether a request came from its client itself.
enum Forwarding: Sendable, Hashable {
    /// Nothing says otherwise.
    case none
    /// The client's address is the one that the proxy names.
    case byTrustedProxy
    /// By a proxy that nobody named to us: the address is the proxy's, and says nothing of the client.
    case byUnknownProxy
}
