/// Which implementation does the work.
enum SRTPEngine {
    case libcrypto
    /// intel-ipsec-mb; for the AEAD profiles only.
    case accelerated

    /// The profile's usual one.
    static func preferred(for profile: SRTPProfile) -> SRTPEngine {
        profile.isAEAD && AcceleratedGCMCipher.isAvailable ? .accelerated : .libcrypto
    }
}
