/// A plain transport's association: sockets of its own, and its client's addresses, which it names or shows.
struct PlainAssociation: ~Copyable {
    /// After this much silence a stream that comes from elsewhere is its sender's, who was started again.
    static let silence = MediaDuration.seconds(2)

    let isComedia: Bool
    /// Whether a learned address stays.
    let keepsAddress: Bool
    let usesRTCPMux: Bool
    /// `nil` for RTP in the clear.
    let profile: SRTPProfile?
    let sockets: PlainSockets
    let destinations: PlainDestinations
    /// The shard's numbers of the sockets.
    var socket = -1
    var rtcpSocket = -1
    /// Whether `connect` was called.
    var isConnected = false
    var remote: IPAddressPort?
    /// When RTP came from there last.
    var heard = MediaInstant(nanoseconds: 0)
    /// With RTCP-mux the same, unless reports came before RTP did, and from another socket of the client's.
    var rtcpRemote: IPAddressPort?
    /// Whether media may be sent to `remote`; reports may, as they are few, and tell the sender how it is received.
    var mayReceiveMedia = false
    var hasWarnedOfDestination = false
    var hasWarnedOfSize = false

    init(_ settings: PlainTransportSettings, _ sockets: PlainSockets) {
        isComedia = settings.isComedia
        keepsAddress = settings.keepsAddress
        usesRTCPMux = settings.usesRTCPMux
        profile = settings.protection?.profile
        self.sockets = sockets
        destinations = settings.destinations
    }

    /// Whether RTP from another address may be the client's, started again.
    func mayFollow(at now: MediaInstant) -> Bool { isComedia && !keepsAddress && now - heard >= Self.silence }

    /// The addresses as events and statistics tell them.
    var tuples: PlainTuples {
        PlainTuples(
            rtp: tuple(sockets.rtp, remote), rtcp: sockets.rtcp.map { tuple($0, rtcpRemote) })
    }

    private func tuple(_ socket: AttachedSocket, _ remote: IPAddressPort?) -> PlainTuple {
        PlainTuple(
            localAddress: sockets.ip, localPort: socket.address.port, remoteAddress: remote?.addressText,
            remotePort: remote?.port)
    }
}

extension Shard {
    /// Whose a socket is that is not the shard's.
    struct PlainBinding {
        var transport: Slot<MediaTransport>
        var plain: Slot<PlainAssociation>
        /// Whether it is for RTCP alone.
        var isRTCP: Bool
    }
}

// MARK: Snapshot

extension PlainAssociation {
    /// - Parameter sockets: the transport's own, which came by another way.
    init(restoring reader: inout SnapshotReader, _ sockets: PlainSockets) throws(WireError) {
        try reader.readVersion(2)
        let isComedia: Bool = try reader.read()
        let keepsAddress: Bool = try reader.read()
        let usesRTCPMux: Bool = try reader.read()
        let identifier: UInt16? = try reader.readOptional()
        let profile = identifier.flatMap { SRTPProfile(identifier: UInt($0)) }
        guard (profile == nil) == (identifier == nil) else { throw .malformed }
        let destinations: PlainDestinations = try reader.read()
        let isConnected: Bool = try reader.read()
        let remote: IPAddressPort? = try reader.readOptional()
        let rtcpRemote: IPAddressPort? = try reader.readOptional()
        let mayReceiveMedia: Bool = try reader.read()
        let hasWarnedOfDestination: Bool = try reader.read()
        let hasWarnedOfSize: Bool = try reader.read()
        let heard: MediaInstant = try reader.read()
        self.isComedia = isComedia
        self.keepsAddress = keepsAddress
        self.usesRTCPMux = usesRTCPMux
        self.profile = profile
        self.sockets = sockets
        self.destinations = destinations
        self.isConnected = isConnected
        self.remote = remote
        self.rtcpRemote = rtcpRemote
        self.mayReceiveMedia = mayReceiveMedia
        self.hasWarnedOfDestination = hasWarnedOfDestination
        self.hasWarnedOfSize = hasWarnedOfSize
        self.heard = heard
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(2)
        writer.write(isComedia)
        writer.write(keepsAddress)
        writer.write(usesRTCPMux)
        writer.writeOptional(profile?.identifier)
        writer.write(destinations)
        writer.write(isConnected)
        writer.writeOptional(remote)
        writer.writeOptional(rtcpRemote)
        writer.write(mayReceiveMedia)
        writer.write(hasWarnedOfDestination)
        writer.write(hasWarnedOfSize)
        writer.write(heard)
    }
}
