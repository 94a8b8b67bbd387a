/// A snapshot of one transport, taken by its shard.
public struct TransportStatistics: Sendable {
    /// Which transport.
    public var key: TransportKey
    /// ICE's state.
    public var iceState: ICEState = .new
    /// DTLS's state.
    public var dtlsState: DTLSState = .new
    /// Where packets are sent; `nil` before the first check.
    public var selectedTuple: TransportTuple?
    /// The negotiated SRTP profile's name, once connected.
    public var srtpProfile: String?
    /// Bytes received, without UDP and IP headers.
    public var bytesReceived: UInt64 = 0
    /// Datagrams received, of every kind.
    public var packetsReceived: UInt64 = 0
    /// Bytes sent, without UDP and IP headers.
    public var bytesSent: UInt64 = 0
    /// Datagrams sent, of every kind.
    public var packetsSent: UInt64 = 0
    /// Its producers.
    public var producers: [ProducerStatistics] = []
    /// Its consumers.
    public var consumers: [ConsumerStatistics] = []

    /// Nothing counted yet.
    public init(key: TransportKey) { self.key = key }
}

/// One received stream of a producer.
public struct ReceiveStreamStatistics: Sendable {
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
    /// Bits a second of late.
    public var bitrate: UInt64 = 0
    /// From the reports; `nil` before the first.
    public var roundTripTime: MediaDuration?

    /// Nothing counted yet.
    public init(ssrc: SSRC) { self.ssrc = ssrc }
}

/// A producer's received streams.
public struct ProducerStatistics: Sendable {
    /// Which producer.
    public var key: ProducerKey
    /// The received streams, one for each encoding.
    public var streams: [ReceiveStreamStatistics] = []

    /// No stream yet.
    public init(key: ProducerKey) { self.key = key }
}

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
    /// Packets that were sent again.
    public var packetsRetransmitted: UInt64 = 0
    /// NACK packets.
    public var nackCount: UInt64 = 0
    /// Packets asked for by NACK.
    public var nackPacketCount: UInt64 = 0
    /// PLI packets.
    public var pliCount: UInt64 = 0
    /// FIR packets.
    public var firCount: UInt64 = 0
    /// Bits a second of late.
    public var bitrate: UInt64 = 0
    /// From the reports; `nil` before the first.
    public var roundTripTime: MediaDuration?

    /// Nothing counted yet.
    public init(key: ConsumerKey, ssrc: SSRC) {
        self.key = key
        self.ssrc = ssrc
    }
}
