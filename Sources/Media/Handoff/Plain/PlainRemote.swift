/// What a client tells of its side of a plain transport.
public struct PlainRemote: Sendable, Hashable {
    /// Where RTP goes, and comes from; `nil` where it is learned.
    let address: IPAddressPort?
    /// The same for RTCP.
    let rtcpAddress: IPAddressPort?
    /// Protects what the client sends.
    let key: SRTPMasterKey?

    /// The client's addresses.
    /// - Parameter rtcpPort: `nil` with RTCP-mux.
    /// - Returns: `nil` where `ip` is neither an IPv4 nor an IPv6 address of one host.
    public init?(ip: String, port: UInt16, rtcpPort: UInt16?, key: SRTPMasterKey? = nil) {
        guard let address = IPAddressPort(text: ip, port: port), !address.isUnspecified, !address.isMulticast else {
            return nil
        }
        self.address = address
        rtcpAddress = IPAddressPort(text: ip, port: rtcpPort ?? port)
        self.key = key
    }

    /// A client whose addresses are learned, with its key.
    public init(key: SRTPMasterKey) {
        address = nil
        rtcpAddress = nil
        self.key = key
    }

    /// Its IP address as text; `nil` without one.
    public var ip: String? { address?.addressText }

    /// Whether its address is an IPv6 one; `nil` without an address.
    public var isIPv6: Bool? { address.map { $0.family == .ipv6 } }
}
