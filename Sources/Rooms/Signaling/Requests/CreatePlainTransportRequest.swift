public import RoundhouseMedia

/// A transport for RTP without ICE and DTLS, as ffmpeg and GStreamer send and receive it. For peers that are broadcasters,
/// and for programs that embed a room.
public struct CreatePlainTransportRequest: Sendable, Hashable {
    /// The client's addresses are those of its first packets; else it announces them by `connectPlainTransport`.
    public var comedia: Bool
    /// A learned address stays, also when the client falls silent for 2 s and its stream comes from elsewhere.
    public var keepsAddress = false
    /// RTP and RTCP share a port.
    public var rtcpMux: Bool
    /// The cipher of SRTP; `nil` for RTP in the clear.
    public var cryptoSuite: SRTPProfile?
    /// The IP address that the request came from, to which RTP may be sent; never taken from the client's own words.
    public var requesterAddress: String?

    /// A request; the defaults are those of mediasoup-demo's HTTP API.
    public init(
        comedia: Bool = true, rtcpMux: Bool = false, cryptoSuite: SRTPProfile? = nil, requesterAddress: String? = nil
    ) {
        self.comedia = comedia
        self.rtcpMux = rtcpMux
        self.cryptoSuite = cryptoSuite
        self.requesterAddress = requesterAddress
    }
}
