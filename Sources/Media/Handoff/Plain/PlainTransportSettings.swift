/// What a shard needs to open a plain transport: RTP and RTCP without ICE and DTLS.
public struct PlainTransportSettings: Sendable {
    /// The client's addresses are those of its first packets; else `connectPlainTransport` tells them.
    public var isComedia: Bool
    /// A learned address stays, also when the client falls silent and its stream comes from elsewhere.
    public var keepsAddress: Bool
    /// RTCP comes and goes on RTP's port (RFC 5761).
    public var usesRTCPMux: Bool
    /// How packets are protected; `nil` for RTP in the clear.
    public var protection: PlainProtection?
    /// Where RTP may be sent, once the client's address is known.
    public var destinations: PlainDestinations

    /// Settings.
    public init(
        isComedia: Bool, keepsAddress: Bool = false, usesRTCPMux: Bool, protection: PlainProtection? = nil,
        destinations: PlainDestinations
    ) {
        self.isComedia = isComedia
        self.keepsAddress = keepsAddress
        self.usesRTCPMux = usesRTCPMux
        self.protection = protection
        self.destinations = destinations
    }
}
