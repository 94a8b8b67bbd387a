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
