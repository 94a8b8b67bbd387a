/// What a client has to know to reach a plain transport.
public struct PlainEndpoint: Sendable, Hashable {
    /// An IP address, or a host name where one is announced.
    public var ip: String
    /// The UDP port of RTP; with RTCP-mux of both.
    public var port: UInt16
    /// The UDP port of RTCP; `nil` with RTCP-mux.
    public var rtcpPort: UInt16?
    /// Whether the sockets speak IPv6: they reach no address of the other family.
    public var isIPv6: Bool

    /// An endpoint.
    public init(ip: String, port: UInt16, rtcpPort: UInt16?, isIPv6: Bool) {
        self.ip = ip
        self.port = port
        self.rtcpPort = rtcpPort
        self.isIPv6 = isIPv6
    }
}
