/// A plain transport's association: sockets of its own, and its client's addresses, which it names or shows.
struct PlainAssociation: ~Copyable {
    let isComedia: Bool
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
    /// With RTCP-mux the same.
    var rtcpRemote: IPAddressPort?
    /// Whether media may be sent to `remote`; reports may, as they are few, and tell the sender how it is received.
    var mayReceiveMedia = false
    var hasWarnedOfDestination = false

    init(_ settings: PlainTransportSettings, _ sockets: PlainSockets) {
        isComedia = settings.isComedia
        usesRTCPMux = settings.usesRTCPMux
        profile = settings.protection?.profile
        self.sockets = sockets
        destinations = settings.destinations
    }

    /// The addresses as events and statistics tell them.
    var tuples: PlainTuples {
        PlainTuples(
            rtp: tuple(sockets.rtp, remote), rtcp: sockets.rtcp.map { tuple($0, rtcpRemote) })
    }

    private func tuple(_ socket: PlainSocket, _ remote: IPAddressPort?) -> PlainTuple {
        PlainTuple(
            localAddress: sockets.ip, localPort: socket.address.port, remoteAddress: remote?.addressText,
            remotePort: remote?.port)
    }
}

extension Shard {
    /// Whose a socket is that is not the shard's.
    struct OwnSocket {
        var transport: Slot<MediaTransport>
        var plain: Slot<PlainAssociation>
        /// Whether it is for RTCP alone.
        var isRTCP: Bool
    }
}
