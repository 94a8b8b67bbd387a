/// Which implementation does the work.
enum SRTPEngine {
    case libcrypto, libsrtp

    /// The libsrtp engine serves the one profile that is rare enough not to matter.
    static func preferred(for profile: SRTPProfile) -> SRTPEngine {
        profile == .aes128CMHMACSHA1x32 ? .libsrtp : .libcrypto
    }
}

/// The keyed ciphers of one direction. A plain value: whoever made it calls `destroy()` once.
enum SRTPCiphers {
    case gcm(rtp: GCMCipher, rtcp: GCMCipher)
    case counterMode(rtp: CounterModeCipher, rtcp: CounterModeCipher)
    /// An `SRTPReference` beside it does the work.
    case reference

    init(profile: SRTPProfile, rtp: SRTPSessionKeys, rtcp: SRTPSessionKeys, seals: Bool) throws(MediaError) {
        if profile.isAEAD {
            let first = try GCMCipher(keys: rtp, seals: seals)
            do throws(MediaError) {
                self = .gcm(rtp: first, rtcp: try GCMCipher(keys: rtcp, seals: seals))
            } catch {
                first.destroy()
                throw error
            }
        } else {
            let first = try CounterModeCipher(keys: rtp)
            do throws(MediaError) {
                self = .counterMode(rtp: first, rtcp: try CounterModeCipher(keys: rtcp))
            } catch {
                first.destroy()
                throw error
            }
        }
    }

    /// Derives the session keys first, if the engine needs them from us.
    init(profile: SRTPProfile, master: SRTPMasterKey, seals: Bool, engine: SRTPEngine) throws(MediaError) {
        if engine == .libsrtp {
            self = .reference
            return
        }
        try self.init(
            profile: profile, rtp: SRTPSessionKeys(profile: profile, master: master, purpose: .rtp),
            rtcp: SRTPSessionKeys(profile: profile, master: master, purpose: .rtcp), seals: seals)
    }

    func destroy() {
        switch self {
        case .gcm(let rtp, let rtcp):
            rtp.destroy()
            rtcp.destroy()
        case .counterMode(let rtp, let rtcp):
            rtp.destroy()
            rtcp.destroy()
        case .reference:
            break
        }
    }
}
