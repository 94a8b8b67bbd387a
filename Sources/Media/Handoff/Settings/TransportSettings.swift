/// What a shard needs to open a WebRTC transport.
public struct TransportSettings: Sendable {
    /// The server's own ICE credentials for this transport.
    public var iceCredentials: ICECredentials
    /// How long the transport stays connected without a valid binding request (RFC 7675) or an authenticated packet;
    /// zero disables the check.
    public var consentTimeout: MediaDuration
    /// By which a shard is chosen.
    public var use: TransportUse
    /// What its client may be sent, and is at first. `nil` for no bounds: then nobody asks what its network carries.
    public var limits: BitrateLimits?
    /// What its client should send at most, in bits per second: those that know REMB are asked to. `nil` for no bound.
    public var maximumIncoming: UInt64?
    /// What its data channels are made with; `nil`: it has none.
    public var data: DataTransportSettings?

    /// Settings.
    public init(
        iceCredentials: ICECredentials, consentTimeout: MediaDuration = .seconds(30), use: TransportUse = .unknown,
        limits: BitrateLimits? = nil, maximumIncoming: UInt64? = nil, data: DataTransportSettings? = nil
    ) {
        self.iceCredentials = iceCredentials
        self.consentTimeout = consentTimeout
        self.use = use
        self.limits = limits
        self.maximumIncoming = maximumIncoming
        self.data = data
    }
}
