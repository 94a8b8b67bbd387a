/// The keyed ciphers of one direction. A plain value: whoever made it calls `destroy()` once.
enum SRTPCiphers {
    case gcm(rtp: GCMCipher, rtcp: GCMCipher)
    case acceleratedGCM(rtp: AcceleratedGCMCipher, rtcp: AcceleratedRTCPCipher)
    case counterMode(rtp: CounterModeCipher, rtcp: CounterModeCipher)

    init(
        profile: SRTPProfile, rtp: SRTPSessionKeys, rtcp: SRTPSessionKeys, seals: Bool, engine: SRTPEngine = .libcrypto
    ) throws(MediaError) {
        if engine == .accelerated, profile.isAEAD {
            let first = try AcceleratedGCMCipher(keys: rtp)
            do throws(MediaError) {
                self = .acceleratedGCM(rtp: first, rtcp: try AcceleratedRTCPCipher(keys: rtcp))
            } catch {
                first.destroy()
                throw error
            }
        } else if profile.isAEAD {
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

    /// Derives the session keys first.
    init(profile: SRTPProfile, master: SRTPMasterKey, seals: Bool, engine: SRTPEngine) throws(MediaError) {
        try self.init(
            profile: profile, rtp: SRTPSessionKeys(profile: profile, master: master, purpose: .rtp),
            rtcp: SRTPSessionKeys(profile: profile, master: master, purpose: .rtcp), seals: seals, engine: engine)
    }

    func destroy() {
        switch self {
        case .gcm(let rtp, let rtcp):
            rtp.destroy()
            rtcp.destroy()
        case .acceleratedGCM(let rtp, let rtcp):
            rtp.destroy()
            rtcp.destroy()
        case .counterMode(let rtp, let rtcp):
            rtp.destroy()
            rtcp.destroy()
        }
    }
}
