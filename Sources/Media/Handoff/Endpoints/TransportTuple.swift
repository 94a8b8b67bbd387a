/// The pair of addresses a transport's packets travel between.
public struct TransportTuple: Sendable, Hashable {
    /// The server's address.
    public var localAddress: String
    /// The server's port.
    public var localPort: UInt16
    /// The client's address.
    public var remoteAddress: String
    /// The client's port.
    public var remotePort: UInt16
    /// The protocol under ICE.
    public var transport: CandidateTransport
    /// How the client reaches the TURN server, if its packets come by that; `transport` is the protocol under it then.
    public var relay: RelayKind?

    /// A tuple.
    public init(
        localAddress: String, localPort: UInt16, remoteAddress: String, remotePort: UInt16,
        transport: CandidateTransport, relay: RelayKind? = nil
    ) {
        self.localAddress = localAddress
        self.localPort = localPort
        self.remoteAddress = remoteAddress
        self.remotePort = remotePort
        self.transport = transport
        self.relay = relay
    }
}
