/// The master key and salt of one direction (RFC 3711 §3.2.1). Their lengths are the profile's.
public struct SRTPMasterKey: Sendable, Hashable {
    /// 16 or 32 bytes.
    public var key: [UInt8]
    /// 14 bytes, 12 with GCM.
    public var salt: [UInt8]

    /// Takes any lengths; whoever uses the key checks them against the profile.
    public init(key: [UInt8], salt: [UInt8]) {
        self.key = key
        self.salt = salt
    }

    /// Whether the lengths are those of `profile`.
    func fits(_ profile: SRTPProfile) -> Bool {
        key.count == profile.keyLength && salt.count == profile.saltLength
    }
}
