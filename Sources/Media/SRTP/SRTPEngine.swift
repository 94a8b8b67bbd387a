/// Which implementation does the work.
enum SRTPEngine {
    case libcrypto, libsrtp
    /// intel-ipsec-mb; for the AEAD profiles only.
    case accelerated

    /// libsrtp keeps counters that cannot be written down: tests alone ask for it.
    static func preferred(for profile: SRTPProfile) -> SRTPEngine {
        profile.isAEAD && AcceleratedGCMCipher.isAvailable ? .accelerated : .libcrypto
    }
}
