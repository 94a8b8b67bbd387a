/// How the media plane listens and what it publishes.
public struct MediaConfiguration: Sendable {
    /// Number of shards (media threads); `nil` means one per core.
    public var shards: Int?
    /// Addresses to bind: IPv4 or IPv6 literals, "0.0.0.0" and "::" for all.
    public var listenAddresses: [String]
    /// The first shard's UDP port, the next shards take the following ones; 0 lets the kernel choose.
    public var port: UInt16
    /// Whether all shards listen on `port`, and on the first of `tcpPorts`: what comes to another's socket is handed on.
    public var sharesPort: Bool
    /// The TCP ports beside them.
    public var tcpPorts: MediaTCPPorts
    /// The UDP ports of plain transports (RTP without ICE), one or two each, on the first of `listenAddresses`; `nil` for
    /// no plain transports.
    public var plainPorts: ClosedRange<UInt16>?
    /// Where plain transports may send RTP, beside the address of the client that asks for one.
    public var plainDestinations: [IPAddressRange]
    /// The addresses that clients get instead of the bound ones of the same family.
    public var announcedAddresses: [AnnouncedAddress]
    /// PEM files of the DTLS certificate and its key; both or none. None: an EC P-256 certificate is made at start.
    public var certificateFile: String?
    /// The PEM file of the certificate's private key.
    public var privateKeyFile: String?
    /// What the kernel is asked to keep of each socket's datagrams while its thread is busy, each way; it may cap it.
    public var bufferBytes = EpollLoop.wantedBufferBytes
    /// Whether DTLS is also spoken with CBC suites, and SRTP with tags of 32 bits.
    public var acceptsLegacyDTLS: Bool
    /// What publishers may send.
    public var ingressLimits: IngressLimits
    /// Pin each shard's thread to a core.
    public var pinsThreads: Bool

    /// A configuration; the defaults suit a server with a public address.
    public init(
        shards: Int? = nil, listenAddresses: [String] = ["0.0.0.0"], port: UInt16 = 44444,
        sharesPort: Bool = false, tcpPorts: MediaTCPPorts = .sameAsUDP, plainPorts: ClosedRange<UInt16>? = nil,
        plainDestinations: [IPAddressRange] = [],
        announcedAddresses: [AnnouncedAddress] = [], certificateFile: String? = nil, privateKeyFile: String? = nil,
        acceptsLegacyDTLS: Bool = false, ingressLimits: IngressLimits = IngressLimits(), pinsThreads: Bool = true
    ) {
        self.shards = shards
        self.listenAddresses = listenAddresses
        self.port = port
        self.sharesPort = sharesPort
        self.tcpPorts = tcpPorts
        self.plainPorts = plainPorts
        self.plainDestinations = plainDestinations
        self.announcedAddresses = announcedAddresses
        self.certificateFile = certificateFile
        self.privateKeyFile = privateKeyFile
        self.acceptsLegacyDTLS = acceptsLegacyDTLS
        self.ingressLimits = ingressLimits
        self.pinsThreads = pinsThreads
    }

    /// How far a shard's ports are from the first one's.
    func portOffset(of shard: Int) -> Int { sharesPort ? 0 : shard }
}
