/// How a producer's or consumer's RTCP is sent.
public struct RTCPParameters: Sendable, Hashable {
    /// The canonical name of the sender (RFC 3550 §6.5.1).
    public var cname: String?
    /// Whether reduced-size packets are allowed (RFC 5506).
    public var reducedSize: Bool

    /// RTCP parameters.
    public init(cname: String? = nil, reducedSize: Bool = true) {
        self.cname = cname
        self.reducedSize = reducedSize
    }
}
