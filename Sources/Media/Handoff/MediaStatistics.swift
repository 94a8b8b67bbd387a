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
}

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
    /// A plain transport's addresses; `nil` for a WebRTC transport.
    public var plain: PlainTuples?
    /// The negotiated SRTP profile's name, once connected.
    public var srtpProfile: String?
    /// Bytes so far.
    public var bytes = TransportTraffic()
    /// Bits per second, recently.
    public var bitrates = TransportTraffic()
    /// Datagrams received, of every kind.
    public var packetsReceived: UInt64 = 0
    /// Datagrams sent, of every kind.
    public var packetsSent: UInt64 = 0
    /// The share (0…1) of received packets that got lost on their way, by their transport-wide numbers; `nil` where the
    /// client does not number them.
    public var packetLossReceived: Double?
    /// The share (0…1) of sent packets that got lost on their way, by the client's feedback; `nil` before the first.
    public var packetLossSent: Double?
    /// Its producers.
    public var producers: [ProducerStatistics] = []
    /// Its consumers.
    public var consumers: [ConsumerStatistics] = []

    /// Nothing counted yet.
    public init(key: TransportKey) { self.key = key }
}

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

/// What the receivers of one layer get.
public struct LayerBitrate: Sendable, Hashable {
    /// The layer, with those below it.
    public var layers: ConsumerLayers
    /// Bits per second, recently.
    public var bitrate: UInt64

    /// A bitrate.
    public init(layers: ConsumerLayers, bitrate: UInt64) {
        self.layers = layers
        self.bitrate = bitrate
    }
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
    /// From the reports; `nil` before the first.
    public var roundTripTime: MediaDuration?

    /// Nothing counted yet.
    public init(key: ConsumerKey, ssrc: SSRC) {
        self.key = key
        self.ssrc = ssrc
    }
}
