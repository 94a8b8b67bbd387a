/// A consumer's sent stream.
public struct ConsumerStatistics: Sendable {
    /// Which consumer.
    public var key: ConsumerKey
    /// The SSRC it sends with.
    public var ssrc: SSRC
    /// RTP packets sent.
    public var packetsSent: UInt64 = 0
    /// Bytes sent, without UDP and IP headers.
    public var bytesSent: UInt64 = 0
    /// Packets lost so far; negative after more duplicates than losses (RFC 3550 §6.4.1).
    public var packetsLost: Int64 = 0
    /// Loss since the last report, in 256ths.
    public var fractionLost: UInt8 = 0
    /// How often packets were sent again.
    public var packetsRetransmitted: UInt64 = 0
    /// Packets that were sent again at least once.
    public var packetsRepaired: UInt64 = 0
    /// NACK packets.
    public var nackCount: UInt64 = 0
    /// Packets asked for by NACK.
    public var nackPacketCount: UInt64 = 0
    /// PLI packets.
    public var pliCount: UInt64 = 0
    /// FIR packets.
    public var firCount: UInt64 = 0
    /// The receiver's, in units of the codec's clock (RFC 3550 §6.4.1).
    public var jitter: UInt32 = 0
    /// Bits per second, recently.
    public var bitrate: UInt64 = 0
    /// How well its receiver gets it, 0…10.
    public var score: UInt8 = 10
    /// The encoding of its producer that it forwards; `nil` while it forwards none.
    public var encoding: Int?
    /// Why it gets the layers that it gets; `nil` if its transport's bandwidth is not known.
    public var reason: LayerReason?
    /// Bits per second that its next step up would cost more; zero at the top.
    public var nextStep: UInt64 = 0
    /// From the reports; `nil` before the first.
    public var roundTripTime: MediaDuration?

    /// Nothing counted yet.
    public init(key: ConsumerKey, ssrc: SSRC) {
        self.key = key
        self.ssrc = ssrc
    }
}
