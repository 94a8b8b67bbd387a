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
