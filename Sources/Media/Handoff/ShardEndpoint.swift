/// The transport protocol under ICE.
public enum CandidateTransport: String, Sendable, Hashable {
    case udp, tcp
}

/// An address at which a shard can be reached, as published in an ICE candidate.
public struct CandidateAddress: Sendable, Hashable {
    /// An IPv4 or IPv6 address, or a host name where one is announced.
    public var address: String
    /// The UDP or TCP port.
    public var port: UInt16
    /// The protocol under ICE.
    public var transport: CandidateTransport

    /// An address.
    public init(address: String, port: UInt16, transport: CandidateTransport) {
        self.address = address
        self.port = port
        self.transport = transport
    }
}

/// What clients have to know to reach one shard.
public struct ShardEndpoint: Sendable, Hashable {
    /// Where clients reach the shard, preferred first.
    public var addresses: [CandidateAddress]

    /// An endpoint.
    public init(addresses: [CandidateAddress]) { self.addresses = addresses }
}

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

    /// A tuple.
    public init(
        localAddress: String, localPort: UInt16, remoteAddress: String, remotePort: UInt16,
        transport: CandidateTransport
    ) {
        self.localAddress = localAddress
        self.localPort = localPort
        self.remoteAddress = remoteAddress
        self.remotePort = remotePort
        self.transport = transport
    }
}
