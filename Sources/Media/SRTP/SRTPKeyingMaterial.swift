/// What a DTLS handshake gives SRTP (RFC 5764 §4.2).
struct SRTPKeyingMaterial: Sendable, Hashable {
    /// What both sides agreed on.
    var profile: SRTPProfile
    /// Protects what we send.
    var local: SRTPMasterKey
    /// Protects what the peer sends.
    var remote: SRTPMasterKey

    /// Puts given keys together.
    init(profile: SRTPProfile, local: SRTPMasterKey, remote: SRTPMasterKey) {
        self.profile = profile
        self.local = local
        self.remote = remote
    }

    /// Cuts the exporter's output: client key, server key, client salt, server salt (RFC 5764 §4.2).
    /// `nil` unless it has exactly the length the profile asks for.
    init?(profile: SRTPProfile, exported: [UInt8], isClient: Bool) {
        let key = profile.keyLength
        let salt = profile.saltLength
        guard exported.count == 2 * (key + salt) else { return nil }
        let client = SRTPMasterKey(
            key: Array(exported[0..<key]), salt: Array(exported[2 * key..<2 * key + salt]))
        let server = SRTPMasterKey(
            key: Array(exported[key..<2 * key]), salt: Array(exported[2 * key + salt..<2 * (key + salt)]))
        self.init(profile: profile, local: isClient ? client : server, remote: isClient ? server : client)
    }
}
