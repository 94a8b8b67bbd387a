/// `connectPlainTransport`: the client's side.
public struct ConnectPlainTransportRequest: Sendable, Hashable {
    /// Which transport.
    public var transportID: TransportID
    /// The client's IP address; absent with `comedia`.
    public var ip: String?
    /// Its port for RTP; absent with `comedia`.
    public var port: UInt16?
    /// Its port for RTCP; absent with `comedia` and with `rtcpMux`.
    public var rtcpPort: UInt16?
    /// The client's key, if the transport has SRTP.
    public var srtpParameters: SRTPParameters?

    /// A request.
    public init(
        transportID: TransportID, ip: String? = nil, port: UInt16? = nil, rtcpPort: UInt16? = nil,
        srtpParameters: SRTPParameters? = nil
    ) {
        self.transportID = transportID
        self.ip = ip
        self.port = port
        self.rtcpPort = rtcpPort
        self.srtpParameters = srtpParameters
    }
}
