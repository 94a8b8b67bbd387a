/// One received stream of a producer.
public struct ReceiveStreamStatistics: Sendable {
    /// The index among the producer's encodings.
    public var encoding = 0
    /// The SSRC it is received with.
    public var ssrc: SSRC
    /// The SSRC of its retransmissions.
    public var rtxSSRC: SSRC?
    /// The RTP stream identifier (RFC 8852).
    public var rid: String?
    /// RTP packets received.
    public var packetsReceived: UInt64 = 0
    /// Bytes received, without UDP and IP headers.
    public var bytesReceived: UInt64 = 0
    /// Packets lost so far; negative after more duplicates than losses (RFC 3550 §6.4.1).
    public var packetsLost: Int64 = 0
    /// Loss since the last report, in 256ths.
    public var fractionLost: UInt8 = 0
    /// Packets that were sent again.
    public var packetsRetransmitted: UInt64 = 0
    /// Lost packets that a retransmission brought.
    public var packetsRepaired: UInt64 = 0
    /// Packets that were of no use.
    public var packetsDiscarded: UInt64 = 0
    /// Retransmissions that were of no use; `nil` without RTX.
    public var rtxPacketsDiscarded: UInt64?
    /// NACK packets.
    public var nackCount: UInt64 = 0
    /// Packets asked for by NACK.
    public var nackPacketCount: UInt64 = 0
    /// PLI packets.
    public var pliCount: UInt64 = 0
    /// FIR packets.
    public var firCount: UInt64 = 0
    /// Key frames seen.
    public var keyFrames: UInt64 = 0
    /// In units of the codec's clock (RFC 3550 §6.4.1).
    public var jitter: UInt32 = 0
    /// Bits per second, recently.
    public var bitrate: UInt64 = 0
    /// Bits a second that a receiver of each layer gets, lowest first; empty for a stream of one layer.
    public var layerBitrates: [LayerBitrate] = []
    /// How well it arrives, 0…10; `nil` before the first packet.
    public var score: UInt8?
    /// From the reports; `nil` before the first.
    public var roundTripTime: MediaDuration?

    /// Nothing counted yet.
    public init(ssrc: SSRC) { self.ssrc = ssrc }
}
