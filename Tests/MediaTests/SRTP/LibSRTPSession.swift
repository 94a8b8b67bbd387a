import CSRTP

@testable import RoundhouseMedia

/// libsrtp2 for one direction of a transport: what ours is compared with.
///
/// It keeps roll-over counters and replay windows of its own, for each SSRC, and allocates when it meets a new one.
// Safe: `session` lives from init to deinit; every pointer passed in is written only for the length that comes back.
struct LibSRTPSession: ~Copyable {
    enum Direction { case outbound, inbound }

    private let session: srtp_t

    /// Once for the process, as libsrtp asks; the language makes it once and thread-safe.
    private static let isReady = srtp_init() == srtp_err_status_ok

    init(profile: SRTPProfile, master: SRTPMasterKey, direction: Direction) throws(MediaError) {
        guard master.fits(profile) else {
            throw MediaError(.invalidSetting, "the key does not have the length of \(profile.rawValue)")
        }
        guard Self.isReady else { throw MediaError(.system, "libsrtp does not start") }
        var created: srtp_t?
        let type = direction == .outbound ? ssrc_any_outbound : ssrc_any_inbound
        let status = Self.withPolicy(profile, master, srtp_ssrc_t(type: type, value: 0)) { policy in
            srtp_create(&created, &policy)
        }
        guard status == srtp_err_status_ok, let session = created else {
            throw MediaError(.system, "libsrtp refuses \(profile.rawValue)")
        }
        self.session = session
    }

    deinit { srtp_dealloc(session) }

    /// Makes an SRTP packet of an RTP packet in place; room for `profile.tagLength` more bytes is needed. `nil` when
    /// libsrtp refuses.
    func protect(_ packet: UnsafeMutableRawPointer, count: Int) -> Int? {
        var length = Int32(truncatingIfNeeded: count)
        return srtp_protect(session, packet, &length) == srtp_err_status_ok ? Int(length) : nil
    }

    /// Makes an SRTCP packet of an RTCP packet in place; room for `profile.rtcpOverhead` more bytes is needed.
    func protectRTCP(_ packet: UnsafeMutableRawPointer, count: Int) -> Int? {
        var length = Int32(truncatingIfNeeded: count)
        return srtp_protect_rtcp(session, packet, &length) == srtp_err_status_ok ? Int(length) : nil
    }

    /// Makes an RTP packet of an SRTP packet in place.
    func unprotect(_ packet: UnsafeMutableRawPointer, count: Int) -> LibSRTPResult {
        var length = Int32(truncatingIfNeeded: count)
        return LibSRTPResult(srtp_unprotect(session, packet, &length), length)
    }

    /// Makes an RTCP packet of an SRTCP packet in place.
    func unprotectRTCP(_ packet: UnsafeMutableRawPointer, count: Int) -> LibSRTPResult {
        var length = Int32(truncatingIfNeeded: count)
        return LibSRTPResult(srtp_unprotect_rtcp(session, packet, &length), length)
    }

    private static func withPolicy(
        _ profile: SRTPProfile, _ master: SRTPMasterKey, _ ssrc: srtp_ssrc_t,
        _ body: (inout srtp_policy_t) -> srtp_err_status_t
    ) -> srtp_err_status_t {
        var policy = srtp_policy_t()
        switch profile {
        case .aeadAES128GCM:
            srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
            srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp)
        case .aeadAES256GCM:
            srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp)
            srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp)
        case .aes128CMHMACSHA1x80:
            srtp_crypto_policy_set_rtp_default(&policy.rtp)
            srtp_crypto_policy_set_rtcp_default(&policy.rtcp)
        case .aes128CMHMACSHA1x32:
            srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp)
            srtp_crypto_policy_set_rtcp_default(&policy.rtcp)
        }
        policy.ssrc = ssrc
        policy.window_size = UInt(SRTPReplayWindow.size)
        // A retransmission without RTX is the same packet again.
        policy.allow_repeat_tx = 1
        var key = master.key + master.salt
        return key.withUnsafeMutableBufferPointer { key in
            policy.key = key.baseAddress
            return body(&policy)
        }
    }
}
