/// What protects a transport's packets: SRTP in each direction once its keys are known, or nothing where that was agreed.
struct PacketProtection: ~Copyable {
    /// What became of a packet from the client.
    enum Opened {
        /// In the clear, with so many bytes at the place where it came in.
        case packet(length: Int)
        case dropped(DropReason)
    }

    private let isClear: Bool
    private var sealer: SRTPSender?
    private var opener: SRTPReceiver?
    /// That of SRTP, once keys are known.
    private(set) var profile: SRTPProfile?

    private init(isClear: Bool) { self.isClear = isClear }

    /// RTP in the clear.
    static func clear() -> PacketProtection { PacketProtection(isClear: true) }

    /// Nothing is sent or taken before the keys are there.
    static func awaitingKeys() -> PacketProtection { PacketProtection(isClear: false) }

    /// - Throws: `MediaError` for a key that does not fit the profile.
    mutating func setLocalKey(_ key: SRTPMasterKey, _ profile: SRTPProfile) throws(MediaError) {
        sealer = try SRTPSender(profile: profile, master: key)
        self.profile = profile
    }

    /// - Throws: `MediaError` for a key that does not fit the profile.
    mutating func setRemoteKey(_ key: SRTPMasterKey, _ profile: SRTPProfile) throws(MediaError) {
        opener = try SRTPReceiver(profile: profile, master: key)
        self.profile = profile
    }

    /// Forgets the keys.
    mutating func end() {
        sealer = nil
        opener = nil
    }

    /// How many of the client's streams are taken.
    var receivedStreams: Int {
        switch opener {
        case .some(let opener): opener.streamCount
        case nil: 0
        }
    }
    var canSend: Bool { sealer != nil || isClear }
    var canReceive: Bool { opener != nil || isClear }

    /// Decrypts in place.
    mutating func openRTP(_ datagram: UnsafeMutableRawBufferPointer) -> Opened {
        guard let start = datagram.baseAddress, opener != nil else { return unsafe clear(datagram) }
        // '!' okay: checked above.
        return unsafe Self.opened(opener!.openRTP(start, count: datagram.count), malformed: .malformedRTP)
    }

    /// Decrypts in place.
    mutating func openRTCP(_ datagram: UnsafeMutableRawBufferPointer) -> Opened {
        guard let start = datagram.baseAddress, opener != nil else { return unsafe clear(datagram) }
        // '!' okay: checked above.
        return unsafe Self.opened(opener!.openRTCP(start, count: datagram.count), malformed: .malformedRTCP)
    }

    private func clear(_ datagram: UnsafeMutableRawBufferPointer) -> Opened {
        isClear ? .packet(length: datagram.count) : .dropped(.beforeHandshake)
    }

    private static func opened(_ result: SRTPOpenResult, malformed: DropReason) -> Opened {
        switch result {
        case .opened(_, let length, _): .packet(length: length)
        case .replayed: .dropped(.srtpReplay)
        case .authenticationFailed: .dropped(.srtpAuthentication)
        case .malformed: .dropped(malformed)
        case .tooManyStreams: .dropped(.srtpTooManyStreams)
        }
    }

    /// A stream turned out to be nobody's, or has ended.
    mutating func retire(_ ssrc: UInt32) { opener?.retire(ssrc) }

    /// Puts a packet's payload behind its header, and protects both.
    /// - Parameter payload: may be behind the header already.
    /// - Returns: the packet's length; 0 without keys.
    // Safe: as `SRTPSender.sealRTP`; the caller has checked that header and payload fit.
    @inline(__always)
    mutating func sealRTP(
        _ out: UnsafeMutableRawPointer, headerLength: Int, payload: UnsafeRawPointer, payloadLength: Int, ssrc: UInt32,
        index: UInt64
    ) -> Int {
        unsafe sealer?.sealRTP(
            out, headerLength: headerLength, payload: payload, payloadLength: payloadLength, ssrc: ssrc, index: index)
            ?? writeClear(out, headerLength, payload, payloadLength)
    }

    @inline(never)
    private func writeClear(
        _ out: UnsafeMutableRawPointer, _ headerLength: Int, _ payload: UnsafeRawPointer, _ payloadLength: Int
    ) -> Int {
        guard isClear else { return 0 }
        unsafe (out + headerLength).copyMemory(from: payload, byteCount: payloadLength)
        return headerLength + payloadLength
    }

    /// Protects a compound packet in place.
    /// - Returns: its length; 0 without keys.
    mutating func sealRTCP(_ out: UnsafeMutableRawPointer, count: Int) -> Int {
        unsafe sealer?.sealRTCP(out, count: count) ?? (isClear ? count : 0)
    }

    fileprivate var sealerSnapshot: SRTPSender.Snapshot? {
        switch sealer {
        case .some(let sealer): sealer.snapshot
        case nil: nil
        }
    }

    fileprivate var openerSnapshot: SRTPReceiver.Snapshot? {
        switch opener {
        case .some(let opener): opener.snapshot
        case nil: nil
        }
    }

    /// Asks for the lines that sealing touches.
    func prefetch() { sealer?.prefetch() }
}

// MARK: Snapshot

extension PacketProtection: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let isClear: Bool = try reader.read()
        var profile: SRTPProfile?
        var sealer: SRTPSender?
        var opener: SRTPReceiver?
        if try reader.read() as Bool {
            let saved = try SRTPSender.Snapshot(from: &reader)
            profile = saved.profile
            do throws(MediaError) { sealer = try SRTPSender(restoring: saved) } catch { throw WireError.malformed }
        }
        if try reader.read() as Bool {
            let saved = try SRTPReceiver.Snapshot(from: &reader)
            profile = saved.profile
            do throws(MediaError) { opener = try SRTPReceiver(restoring: saved) } catch { throw WireError.malformed }
        }
        self.init(isClear: isClear)
        self.sealer = sealer
        self.opener = opener
        self.profile = profile
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(isClear)
        let (sealed, opened) = (sealerSnapshot, openerSnapshot)
        writer.write(sealed != nil)
        sealed?.write(to: &writer)
        writer.write(opened != nil)
        opened?.write(to: &writer)
    }

    /// Whether everything in it can be written down: not with ciphers that were given without their key.
    var isWritable: Bool { (sealer == nil || sealerSnapshot != nil) && (opener == nil || openerSnapshot != nil) }
}
