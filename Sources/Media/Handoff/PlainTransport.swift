/// What a shard needs to open a plain transport: RTP and RTCP without ICE and DTLS.
public struct PlainTransportSettings: Sendable {
    /// The client's addresses are those of its first packets; else `connectPlainTransport` tells them.
    public var isComedia: Bool
    /// RTCP comes and goes on RTP's port (RFC 5761).
    public var usesRTCPMux: Bool
    /// How packets are protected; `nil` for RTP in the clear.
    public var protection: PlainProtection?
    /// Where RTP may be sent, once the client's address is known.
    public var destinations: PlainDestinations

    /// Settings.
    public init(
        isComedia: Bool, usesRTCPMux: Bool, protection: PlainProtection? = nil, destinations: PlainDestinations
    ) {
        self.isComedia = isComedia
        self.usesRTCPMux = usesRTCPMux
        self.protection = protection
        self.destinations = destinations
    }
}

/// SRTP whose keys come by signaling.
public struct PlainProtection: Sendable, Hashable {
    /// The cipher of both directions.
    public var profile: SRTPProfile
    /// Protects what the server sends.
    public var local: SRTPMasterKey

    /// A protection.
    public init(profile: SRTPProfile, local: SRTPMasterKey) {
        self.profile = profile
        self.local = local
    }
}

/// What a client has to know to reach a plain transport.
public struct PlainEndpoint: Sendable, Hashable {
    /// An IP address, or a host name where one is announced.
    public var ip: String
    /// The UDP port of RTP; with RTCP-mux of both.
    public var port: UInt16
    /// The UDP port of RTCP; `nil` with RTCP-mux.
    public var rtcpPort: UInt16?
    /// Whether the sockets speak IPv6: they reach no address of the other family.
    public var isIPv6: Bool

    /// An endpoint.
    public init(ip: String, port: UInt16, rtcpPort: UInt16?, isIPv6: Bool) {
        self.ip = ip
        self.port = port
        self.rtcpPort = rtcpPort
        self.isIPv6 = isIPv6
    }
}

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

/// The addresses of a plain transport at one moment.
public struct PlainTuples: Sendable, Hashable {
    /// RTP's; with RTCP-mux also RTCP's.
    public var rtp: PlainTuple
    /// RTCP's; `nil` with RTCP-mux.
    public var rtcp: PlainTuple?

    /// Tuples.
    public init(rtp: PlainTuple, rtcp: PlainTuple?) {
        self.rtp = rtp
        self.rtcp = rtcp
    }
}
