import COpenSSL

/// Opens what one transport receives (RFC 3711, RFC 7714). Used by the transport's owner thread only; allocates only when
/// a new SSRC has authenticated.
// Safe: packets are read and written within the length given with them: every offset is compared with it first.
struct SRTPReceiver: ~Copyable {
    let profile: SRTPProfile
    private var table: SRTPStreamTable
    private let ciphers: SRTPCiphers
    /// Kept for those who continue elsewhere; `nil` with given ciphers.
    private let master: SRTPMasterKey?

    /// - Parameter engine: `nil` for the profile's usual one.
    init(profile: SRTPProfile, master: SRTPMasterKey, engine: SRTPEngine? = nil) throws(MediaError) {
        let engine = engine ?? .preferred(for: profile)
        let ciphers = try SRTPCiphers(profile: profile, master: master, seals: false, engine: engine)
        self.profile = profile
        self.ciphers = ciphers
        self.master = master
        table = SRTPStreamTable()
    }

    /// Continues an opener that opens no more, with its streams' roll-over counters and replay windows.
    init(restoring snapshot: Snapshot) throws(MediaError) {
        var table = SRTPStreamTable()
        for stream in snapshot.streams {
            guard table.insert(stream) else {
                throw MediaError(.invalidSetting, "the streams of an SRTP snapshot contradict each other")
            }
        }
        let engine = SRTPEngine.preferred(for: snapshot.profile)
        ciphers = try SRTPCiphers(profile: snapshot.profile, master: snapshot.master, seals: false, engine: engine)
        profile = snapshot.profile
        master = snapshot.master
        self.table = table
    }

    /// With ciphers that are already keyed; takes them over.
    init(profile: SRTPProfile, ciphers: SRTPCiphers) {
        self.profile = profile
        self.ciphers = ciphers
        master = nil
        table = SRTPStreamTable()
    }

    deinit { ciphers.destroy() }

    // MARK: Streams

    /// How many SSRCs have authenticated and are not retired.
    var streamCount: Int { table.count - table.retiredCount }

    /// Every stream's roll-over counter and replay windows, as plain data.
    var streams: [SRTPStreamState] { table.exported }

    /// Everything that has to be known to continue elsewhere. `nil` with given ciphers.
    var snapshot: Snapshot? {
        master.map { Snapshot(profile: profile, master: $0, streams: table.exported) }
    }

    /// Nobody takes an SSRC any longer: it counts for no limit, and its packets stay replays under the same keys.
    mutating func retire(_ ssrc: UInt32) { table.retire(ssrc) }

    /// Continues a stream of another opener with the same key. `false` when there is no room or the state is not one.
    mutating func resume(_ state: SRTPStreamState) -> Bool { table.insert(state) }

    // MARK: RTP

    /// Opens an SRTP packet in place. Replays are found before any decryption; nothing is remembered of a packet that
    /// does not authenticate (RFC 3711 §3.3).
    mutating func openRTP(_ packet: UnsafeMutableRawPointer, count: Int) -> SRTPOpenResult {
        let headerLength = unsafe Self.headerLength(packet, count: count)
        let length = count - profile.tagLength
        guard headerLength > 0, headerLength <= length else { return .malformed }
        let sequence = unsafe UInt16(bigEndian: packet.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        let ssrc = unsafe UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        var slot = table.find(ssrc)
        var index = UInt64(sequence)
        if slot >= 0 {
            let state = unsafe table.state(slot)
            index = unsafe state.pointee.estimatedIndex(sequence)
            if unsafe state.pointee.hasRTP,
                unsafe !table.window(slot).isFresh(index, highest: state.pointee.highestIndex)
            {
                return .replayed
            }
        } else if table.isFull {
            return .tooManyStreams
        }
        let refusal = unsafe decryptRTP(packet, headerLength: headerLength, length: length, ssrc: ssrc, index: index)
        if let refusal { return refusal }
        if slot < 0 { slot = table.insert(ssrc) }
        guard slot >= 0 else { return .tooManyStreams }
        table.taken(slot)
        let state = unsafe table.state(slot)
        if unsafe !state.pointee.hasRTP {
            unsafe state.pointee.hasRTP = true
            unsafe state.pointee.highestIndex = index
        }
        unsafe table.window(slot).record(index, highest: &state.pointee.highestIndex)
        return .opened(headerLength: headerLength, length: length, index: index)
    }

    /// `nil` when the packet authenticated and is plaintext now.
    private func decryptRTP(
        _ packet: UnsafeMutableRawPointer, headerLength: Int, length: Int, ssrc: UInt32, index: UInt64
    ) -> SRTPOpenResult? {
        let body = unsafe packet + headerLength
        switch ciphers {
        case .gcm(let cipher, _):
            let opened = unsafe cipher.open(
                header: packet, headerLength: headerLength, trailer: nil, ssrc: ssrc, index: index, bytes: body,
                count: length - headerLength)
            return opened ? nil : .authenticationFailed
        case .acceleratedGCM(let cipher, _):
            let opened = unsafe cipher.open(
                header: packet, headerLength: headerLength, ssrc: ssrc, index: index, bytes: body,
                count: length - headerLength)
            return opened ? nil : .authenticationFailed
        case .counterMode(let cipher, _):
            let digest = unsafe cipher.digest(
                of: packet, count: length, rollOver: UInt32(truncatingIfNeeded: index >> 16))
            guard unsafe CRYPTO_memcmp(digest, packet + length, profile.tagLength) == 0 else {
                return .authenticationFailed
            }
            let opened = unsafe cipher.crypt(
                ssrc: ssrc, index: index, source: body, count: length - headerLength, destination: body)
            return opened ? nil : .malformed
        }
    }

    // MARK: RTCP

    /// Opens an SRTCP packet in place (RFC 3711 §3.4). Packets whose E flag is not set are refused: WebRTC encrypts all.
    mutating func openRTCP(_ packet: UnsafeMutableRawPointer, count: Int) -> SRTPOpenResult {
        let length = count - profile.rtcpOverhead
        guard length >= 8 else { return .malformed }
        let first = unsafe packet.load(as: UInt8.self)
        // The index stands at the very end with GCM (RFC 7714 §9.2), before the tag otherwise.
        let wordOffset = profile.isAEAD ? count - 4 : length
        let word = unsafe UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: wordOffset, as: UInt32.self))
        guard first >> 6 == 2, word & 0x8000_0000 != 0 else { return .malformed }
        let index = word & 0x7FFF_FFFF
        let ssrc = unsafe UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        var slot = table.find(ssrc)
        if slot >= 0 {
            if unsafe !table.state(slot).pointee.isFreshRTCP(index) { return .replayed }
        } else if table.isFull {
            return .tooManyStreams
        }
        if let refusal = unsafe decryptRTCP(packet, count: count, length: length, ssrc: ssrc, index: UInt64(index)) {
            return refusal
        }
        if slot < 0 { slot = table.insert(ssrc) }
        guard slot >= 0 else { return .tooManyStreams }
        unsafe table.state(slot).pointee.recordRTCP(index)
        return .opened(headerLength: 8, length: length, index: UInt64(index))
    }

    /// `nil` when the packet authenticated and is plaintext now.
    private func decryptRTCP(
        _ packet: UnsafeMutableRawPointer, count: Int, length: Int, ssrc: UInt32, index: UInt64
    ) -> SRTPOpenResult? {
        let body = unsafe packet + 8
        switch ciphers {
        case .acceleratedGCM(_, let cipher):
            let word = unsafe UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
            let opened = unsafe cipher.open(packet, count: length, word: word, ssrc: ssrc)
            return opened ? nil : .authenticationFailed
        case .gcm(_, let cipher):
            let opened = unsafe cipher.open(
                header: packet, headerLength: 8, trailer: packet + (count - 4), ssrc: ssrc, index: index, bytes: body,
                count: length - 8)
            return opened ? nil : .authenticationFailed
        case .counterMode(_, let cipher):
            let digest = unsafe cipher.digest(of: packet, count: length + 4)
            guard unsafe CRYPTO_memcmp(digest, packet + (length + 4), profile.rtcpTagLength) == 0 else {
                return .authenticationFailed
            }
            let opened = unsafe cipher.crypt(
                ssrc: ssrc, index: index, source: body, count: length - 8, destination: body)
            return opened ? nil : .malformed
        }
    }

    /// The RTP header's length with CSRCs and extension (RFC 3550 §5.1, §5.3.1); 0 when it is none or does not end
    /// within the packet.
    private static func headerLength(_ packet: UnsafeRawPointer, count: Int) -> Int {
        guard count >= 12 else { return 0 }
        let first = unsafe packet.load(as: UInt8.self)
        guard first >> 6 == 2 else { return 0 }
        let fixed = 12 + 4 * Int(first & 0x0F)
        guard first & 0x10 != 0 else { return fixed <= count ? fixed : 0 }
        guard fixed + 4 <= count else { return 0 }
        let words = unsafe UInt16(bigEndian: packet.loadUnaligned(fromByteOffset: fixed + 2, as: UInt16.self))
        let whole = fixed + 4 + 4 * Int(words)
        return whole <= count ? whole : 0
    }
}
