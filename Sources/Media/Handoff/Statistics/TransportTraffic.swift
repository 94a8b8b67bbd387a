/// What went over a transport by kind: bytes, or bits a second.
public struct TransportTraffic: Sendable, Hashable {
    /// Everything received, without UDP and IP headers.
    public var received: UInt64 = 0
    /// Everything sent, without UDP and IP headers.
    public var sent: UInt64 = 0
    /// RTP media packets received, in the clear.
    public var rtpReceived: UInt64 = 0
    /// RTP media packets sent, in the clear.
    public var rtpSent: UInt64 = 0
    /// Retransmissions received.
    public var rtxReceived: UInt64 = 0
    /// Retransmissions sent.
    public var rtxSent: UInt64 = 0
    /// Probation packets sent, which carry nothing.
    public var probationSent: UInt64 = 0

    /// Nothing.
    public init() {}

    /// All kinds of RTP, both ways.
    var rtp: UInt64 { rtpReceived &+ rtpSent &+ rtxReceived &+ rtxSent &+ probationSent }
}
