/// A socket of a plain transport and the address it talks to, once that is known.
public struct PlainTuple: Sendable, Hashable {
    /// The server's address as the client has it.
    public var localAddress: String
    /// The server's port.
    public var localPort: UInt16
    /// The client's address.
    public var remoteAddress: String?
    /// The client's port.
    public var remotePort: UInt16?

    /// A tuple.
    public init(
        localAddress: String, localPort: UInt16, remoteAddress: String? = nil, remotePort: UInt16? = nil
    ) {
        self.localAddress = localAddress
        self.localPort = localPort
        self.remoteAddress = remoteAddress
        self.remotePort = remotePort
    }
}
