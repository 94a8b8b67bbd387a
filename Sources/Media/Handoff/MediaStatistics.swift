/// A snapshot of one transport, taken by its shard.
public struct TransportStatistics: Sendable {
    public var key: TransportKey
    public var iceState: ICEState = .new
    public var dtlsState: DTLSState = .new
    public var selectedTuple: TransportTuple?
    /// The negotiated SRTP profile's name, once connected.
    public var srtpProfile: String?
    public var bytesReceived: UInt64 = 0
    public var packetsReceived: UInt64 = 0
    public var bytesSent: UInt64 = 0
    public var packetsSent: UInt64 = 0
    public var producers: [ProducerStatistics] = []
    public var consumers: [ConsumerStatistics] = []

    public init(key: TransportKey) { self.key = key }
}

/// One received stream of a producer.
public struct ReceiveStreamStatistics: Sendable {
    public var ssrc: SSRC
    public var rtxSSRC: SSRC?
    public var rid: String?
    public var packetsReceived: UInt64 = 0
    public var bytesReceived: UInt64 = 0
    public var packetsLost: Int64 = 0
    public var fractionLost: UInt8 = 0
    public var packetsRetransmitted: UInt64 = 0
    public var packetsRepaired: UInt64 = 0
    public var packetsDiscarded: UInt64 = 0
    public var nackCount: UInt64 = 0
    public var nackPacketCount: UInt64 = 0
    public var pliCount: UInt64 = 0
    public var firCount: UInt64 = 0
    public var keyFrames: UInt64 = 0
    /// In units of the codec's clock (RFC 3550 §6.4.1).
    public var jitter: UInt32 = 0
    public var bitrate: UInt64 = 0
    public var roundTripTime: MediaDuration?

    public init(ssrc: SSRC) { self.ssrc = ssrc }
}

/// A producer's received streams.
public struct ProducerStatistics: Sendable {
    public var key: ProducerKey
    public var streams: [ReceiveStreamStatistics] = []

    public init(key: ProducerKey) { self.key = key }
}

/// A consumer's sent stream.
public struct ConsumerStatistics: Sendable {
    public var key: ConsumerKey
    public var ssrc: SSRC
    public var packetsSent: UInt64 = 0
    public var bytesSent: UInt64 = 0
    public var packetsLost: Int64 = 0
    public var fractionLost: UInt8 = 0
    public var packetsRetransmitted: UInt64 = 0
    public var nackCount: UInt64 = 0
    public var nackPacketCount: UInt64 = 0
    public var pliCount: UInt64 = 0
    public var firCount: UInt64 = 0
    public var bitrate: UInt64 = 0
    public var roundTripTime: MediaDuration?

    public init(key: ConsumerKey, ssrc: SSRC) {
        self.key = key
        self.ssrc = ssrc
    }
}
