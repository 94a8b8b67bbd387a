/// Protects what one transport sends (RFC 3711, RFC 7714). Used by the transport's owner thread only; allocates nothing
/// per packet.
///
/// The caller keeps the roll-over counters: a packet's index is an argument, so the same packet can be sealed again.
// Safe: every destination has room for the packet and its overhead, which is the caller's promise; payload and
// destination are the same memory or do not overlap.
struct SRTPSender: ~Copyable {
    let profile: SRTPProfile
    /// The next SRTCP packet's index, 31 bits. Beyond it nothing can be sealed: a new key is due (RFC 3711 §9.2).
    private(set) var nextRTCPIndex: UInt32
    private let ciphers: SRTPCiphers
    /// Kept for those who continue elsewhere; `nil` with given ciphers.
    private let master: SRTPMasterKey?

    /// - Parameters:
    ///   - nextRTCPIndex: where another sealer with the same key stopped; a new key begins with 1, as libsrtp does.
    ///   - engine: `nil` for the profile's usual one.
    init(
        profile: SRTPProfile, master: SRTPMasterKey, nextRTCPIndex: UInt32 = 1, engine: SRTPEngine? = nil
    ) throws(MediaError) {
        let engine = engine ?? .preferred(for: profile)
        let ciphers = try SRTPCiphers(profile: profile, master: master, seals: true, engine: engine)
        self.profile = profile
        self.ciphers = ciphers
        self.master = master
        self.nextRTCPIndex = nextRTCPIndex
    }

    /// Continues a sealer with the key of another that seals no more.
    init(restoring snapshot: Snapshot) throws(MediaError) {
        try self.init(
            profile: snapshot.profile, master: snapshot.master, nextRTCPIndex: snapshot.nextRTCPIndex, engine: nil)
    }

    /// With ciphers that are already keyed; takes them over.
    init(profile: SRTPProfile, ciphers: SRTPCiphers, nextRTCPIndex: UInt32) {
        self.profile = profile
        self.nextRTCPIndex = nextRTCPIndex
        self.ciphers = ciphers
        master = nil
    }

    deinit { ciphers.destroy() }

    /// Everything that has to be known to continue elsewhere; the roll-over counters are the caller's. `nil` with given
    /// ciphers.
    var snapshot: Snapshot? {
        master.map { Snapshot(profile: profile, master: $0, nextRTCPIndex: nextRTCPIndex) }
    }

    /// Asks for the key's cache lines, where they are known to be worth it.
    func prefetch() {
        if case .acceleratedGCM(let cipher, _) = ciphers { cipher.prefetch() }
    }

    /// Makes an SRTP packet of a header that is already in place and a payload from anywhere.
    ///
    /// - Parameters:
    ///   - packet: holds the whole RTP header (CSRCs and extensions included), and room for
    ///     `headerLength + payloadLength + profile.tagLength` bytes.
    ///   - payload: the plaintext with its padding; may be `packet + headerLength`.
    ///   - index: roll-over counter · 65,536 + sequence number.
    /// - Returns: the packet's length in bytes; 0 when the library failed and nothing may be sent.
    func sealRTP(
        _ packet: UnsafeMutableRawPointer, headerLength: Int, payload: UnsafeRawPointer, payloadLength: Int,
        ssrc: UInt32, index: UInt64
    ) -> Int {
        let body = unsafe packet + headerLength
        let length = headerLength + payloadLength
        switch ciphers {
        case .gcm(let cipher, _):
            let sealed = unsafe cipher.seal(
                header: packet, headerLength: headerLength, trailer: nil, ssrc: ssrc, index: index, source: payload,
                count: payloadLength, destination: body)
            return sealed ? length + GCMCipher.tagLength : 0
        case .acceleratedGCM(let cipher, _):
            unsafe cipher.seal(
                header: packet, headerLength: headerLength, ssrc: ssrc, index: index, source: payload,
                count: payloadLength, destination: body)
            return length + AcceleratedGCMCipher.tagLength
        case .counterMode(let cipher, _):
            guard
                unsafe cipher.crypt(ssrc: ssrc, index: index, source: payload, count: payloadLength, destination: body)
            else { return 0 }
            let rollOver = UInt32(truncatingIfNeeded: index >> 16)
            let digest = unsafe cipher.digest(of: packet, count: length, rollOver: rollOver)
            unsafe (packet + length).copyMemory(from: digest, byteCount: profile.tagLength)
            return length + profile.tagLength
        }
    }

    /// Makes an SRTCP packet of a compound RTCP packet in place (RFC 3711 §3.4).
    ///
    /// - Parameter packet: has room for `count + profile.rtcpOverhead` bytes.
    /// - Returns: the packet's length in bytes; 0 when `count` is no RTCP packet's, the indices are used up, or the
    ///   library failed: then nothing may be sent.
    mutating func sealRTCP(_ packet: UnsafeMutableRawPointer, count: Int) -> Int {
        guard count >= 8, nextRTCPIndex <= 0x7FFF_FFFF else { return 0 }
        let index = nextRTCPIndex
        let ssrc = unsafe UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        let word = (index | 0x8000_0000).bigEndian
        let tagLength = profile.rtcpTagLength
        switch ciphers {
        case .gcm(_, let cipher):
            // The index follows the tag (RFC 7714 §9.2).
            let trailer = unsafe packet + count + tagLength
            unsafe trailer.storeBytes(of: word, as: UInt32.self)
            let sealed = unsafe cipher.seal(
                header: packet, headerLength: 8, trailer: trailer, ssrc: ssrc, index: UInt64(index),
                source: packet + 8, count: count - 8, destination: packet + 8)
            guard sealed else { return 0 }
        case .acceleratedGCM(_, let cipher):
            unsafe cipher.seal(packet, count: count, word: index | 0x8000_0000, ssrc: ssrc)
            unsafe (packet + count + tagLength).storeBytes(of: word, as: UInt32.self)
        case .counterMode(_, let cipher):
            guard
                unsafe cipher.crypt(
                    ssrc: ssrc, index: UInt64(index), source: packet + 8, count: count - 8, destination: packet + 8)
            else { return 0 }
            // The tag follows the index and covers it.
            unsafe (packet + count).storeBytes(of: word, as: UInt32.self)
            unsafe (packet + count + 4).copyMemory(
                from: cipher.digest(of: packet, count: count + 4), byteCount: tagLength)
        }
        nextRTCPIndex = index + 1
        return count + profile.rtcpOverhead
    }
}
