/// What an endpoint has to know to establish an association, kept by its peer until it proves to be there (RFC 9260
/// §5.1.3). A code of ours protects it, so that nobody makes one up, and it has a time to live.
struct SCTPStateCookie: Hashable {
    /// By it peers recognize an implementation, as they do others'.
    private static let magic = Array("Rndhouse".utf8)
    private static let lifetime = MediaDuration.seconds(60)

    enum Problem: Error {
        /// Not of our making, or damaged.
        case forged
        /// Older than it may be, by so many microseconds.
        case stale(UInt32)
    }

    var created: MediaInstant
    var localTag: UInt32
    var localInitialTSN: TSN
    /// As the peer announced it: what both can do is found when the cookie comes back.
    var peer: SCTPInitiation
    /// The tags of the association that there was when the peer began again; 0 for none.
    var localTieTag: UInt32 = 0
    var peerTieTag: UInt32 = 0

    init(
        created: MediaInstant, localTag: UInt32, localInitialTSN: TSN, peer: SCTPInitiation, localTieTag: UInt32 = 0,
        peerTieTag: UInt32 = 0
    ) {
        self.created = created
        self.localTag = localTag
        self.localInitialTSN = localInitialTSN
        self.peer = peer
        self.localTieTag = localTieTag
        self.peerTieTag = peerTieTag
    }

    func bytes(key: HMACSHA1Key) -> [UInt8] {
        var writer = SnapshotWriter()
        writer.writeBytes(Self.magic)
        writer.write(created)
        for word in [localTag, localInitialTSN.rawValue, localTieTag, peerTieTag] { writer.writeUInt32(word) }
        for word in [peer.tag, peer.window, peer.initialTSN.rawValue] { writer.writeUInt32(word) }
        writer.writeUInt16(peer.outgoingStreams)
        writer.writeUInt16(peer.incomingStreams)
        writer.writeUInt8(peer.capabilities.rawValue)
        return writer.bytes + Self.code(of: writer.bytes, key)
    }

    init(parsing bytes: [UInt8], key: HMACSHA1Key, at now: MediaInstant) throws(Problem) {
        let content = Array(bytes.dropLast(SHA1.digestLength))
        let code = Self.code(of: content, key)
        let given = bytes.suffix(SHA1.digestLength)
        guard given.count == code.count, zip(given, code).reduce(0, { $0 | ($1.0 ^ $1.1) }) == 0 else { throw .forged }
        guard let cookie = try? SCTPStateCookie(reading: content) else { throw .forged }
        let age = now - cookie.created
        guard age <= Self.lifetime else { throw .stale(UInt32(clamping: (age - Self.lifetime).microseconds)) }
        self = cookie
    }

    private init(reading content: [UInt8]) throws(WireError) {
        var reader = SnapshotReader(content)
        guard try reader.readBytes(Self.magic.count) == Self.magic else { throw .malformed }
        created = try reader.read()
        localTag = try reader.readUInt32()
        localInitialTSN = try reader.read()
        localTieTag = try reader.readUInt32()
        peerTieTag = try reader.readUInt32()
        let (tag, window, first) = (try reader.readUInt32(), try reader.readUInt32(), try reader.readUInt32())
        peer = SCTPInitiation(
            tag: tag, window: window, outgoingStreams: try reader.readUInt16(),
            incomingStreams: try reader.readUInt16(), initialTSN: TSN(first),
            capabilities: SCTPCapabilities(rawValue: try reader.readUInt8()))
        guard reader.isAtEnd else { throw .malformed }
    }

    private static func code(of content: [UInt8], _ key: HMACSHA1Key) -> [UInt8] {
        var hash = key.begin()
        for byte in content { hash.update(byte) }
        let digest = key.finish(hash)
        return (0..<SHA1.digestLength).map { digest[$0] }
    }
}
