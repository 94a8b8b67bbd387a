/// What a shard needs to open a WebRTC transport.
public struct TransportSettings: Sendable {
    /// The server's own ICE credentials for this transport.
    public var iceCredentials: ICECredentials
    /// How long the transport stays connected without a valid binding request (RFC 7675) or an authenticated packet;
    /// zero disables the check.
    public var consentTimeout: MediaDuration
    /// By which a shard is chosen.
    public var use: TransportUse

    /// Settings.
    public init(
        iceCredentials: ICECredentials, consentTimeout: MediaDuration = .seconds(30), use: TransportUse = .unknown
    ) {
        self.iceCredentials = iceCredentials
        self.consentTimeout = consentTimeout
        self.use = use
    }
}
