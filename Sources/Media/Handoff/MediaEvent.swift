/// What a shard reports to a room.
public enum MediaEvent: Sendable {
    case iceStateChanged(TransportKey, ICEState, selected: TransportTuple?)
    case dtlsStateChanged(TransportKey, DTLSState)
    /// The transport lost its last tuple to another transport that its client uses from the same address. It has its
    /// consent timeout to be heard from elsewhere.
    case transportSuperseded(TransportKey, by: TransportKey)
    /// A plain transport's addresses changed: its client was named, or has shown itself.
    case plainTuplesChanged(TransportKey, PlainTuples)
    /// What a transport's client means to send or get does not flow; at most one warning of a kind at a time.
    case warningRaised(TransportKey, TransportWarning)
    /// It flows, or is not expected any more.
    case warningCleared(TransportKey, TransportWarning.Kind)
    /// The plane could not carry out a command (its message says which and why).
    case commandFailed(TransportKey, MediaError)
    case statistics(token: UInt64, [TransportStatistics])
    /// The layers being sent to a consumer changed; `nil` while nothing is sent.
    case consumerLayersChanged(ConsumerKey, ConsumerLayers?)
    /// A consumer's score changed: its own, or its producer's as the consumer gets it.
    case consumerScoreChanged(ConsumerKey, score: UInt8)
    /// The score of one of a producer's streams changed.
    case producerScoreChanged(ProducerKey, [EncodingScore])
    /// A producer's video orientation was reported for the first time, or changed.
    case videoOrientationChanged(ProducerKey, VideoOrientation)
    /// Audio levels of producers since the last such event of their shard, at most one for each producer.
    case audioLevels([AudioLevelReport])
    /// A packet of an object whose trace was asked for.
    case trace(TraceEvent)
}

/// A spatial layer (of simulcast: the index of the encoding) and a temporal one, from 0.
public struct ConsumerLayers: Sendable, Hashable {
    /// 0…7.
    public var spatial: UInt8
    /// 0…7.
    public var temporal: UInt8

    /// Layers.
    public init(spatial: UInt8, temporal: UInt8) {
        self.spatial = spatial
        self.temporal = temporal
    }
}

/// How well one of a producer's streams arrives.
public struct EncodingScore: Sendable, Hashable {
    /// The index among the producer's encodings.
    public var encoding: Int
    /// The SSRC it is received with.
    public var ssrc: SSRC
    /// The RTP stream identifier (RFC 8852).
    public var rid: String?
    /// 0 (nothing arrives) … 10.
    public var score: UInt8

    /// A score.
    public init(encoding: Int, ssrc: SSRC, rid: String? = nil, score: UInt8) {
        self.encoding = encoding
        self.ssrc = ssrc
        self.rid = rid
        self.score = score
    }
}

/// One producer's sound over the interval of a batch (RFC 6464).
public struct AudioLevelReport: Sendable, Hashable {
    /// Whose sound.
    public var producer: ProducerKey
    /// Levels in −dBov, 0 (loudest) … 127 (silence): their sum over `count` packets.
    public var levelSum: UInt32
    /// Packets that carried a level; at least 1.
    public var count: UInt32
    /// The newest packet's arrival.
    public var time: MediaInstant

    /// A report.
    public init(producer: ProducerKey, levelSum: UInt32, count: UInt32, time: MediaInstant) {
        self.producer = producer
        self.levelSum = levelSum
        self.count = count
        self.time = time
    }
}

/// The kinds of `trace` events, with mediasoup's names.
public struct TraceKinds: OptionSet, Sendable, Hashable {
    /// One bit for each kind.
    public let rawValue: UInt8
    /// Kinds by their bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Every RTP packet.
    public static let rtp = TraceKinds(rawValue: 1)
    /// Packets that begin a key frame.
    public static let keyFrame = TraceKinds(rawValue: 2)
    /// Negative acknowledgements (RFC 4585).
    public static let nack = TraceKinds(rawValue: 4)
    /// Picture loss indications (RFC 4585).
    public static let pli = TraceKinds(rawValue: 8)
    /// Full intra requests (RFC 5104).
    public static let fir = TraceKinds(rawValue: 16)
    /// Sender reports (RFC 3550 §6.4.1).
    public static let sr = TraceKinds(rawValue: 32)
}

/// One traced packet.
public struct TraceEvent: Sendable, Hashable {
    /// Whose packet.
    public enum Subject: Sendable, Hashable {
        /// Received by a producer, or asked of it.
        case producer(ProducerKey)
        /// Sent to a consumer, or asked by it.
        case consumer(ConsumerKey)
    }

    /// Whose packet it is.
    public var subject: Subject
    /// Exactly one kind.
    public var kind: TraceKinds
    /// When.
    public var time: MediaInstant
    /// Whether the server received it; else the server sent it.
    public var isIncoming: Bool
    /// The stream, with its SSRC on that side.
    public var ssrc: SSRC
    /// The RTP payload type; this and what follows is of `rtp` and `keyFrame` only.
    public var payloadType: UInt8 = 0
    /// The RTP sequence number.
    public var sequence: UInt16 = 0
    /// The RTP timestamp.
    public var timestamp: UInt32 = 0
    /// Bytes of the RTP packet.
    public var size: Int = 0
    /// The RTP marker.
    public var hasMarker = false
    /// Whether it is a retransmission (RFC 4588).
    public var isRTX = false

    /// An event of a packet that is no RTP packet.
    public init(subject: Subject, kind: TraceKinds, time: MediaInstant, isIncoming: Bool, ssrc: SSRC) {
        self.subject = subject
        self.kind = kind
        self.time = time
        self.isIncoming = isIncoming
        self.ssrc = ssrc
    }
}

/// ICE states of an ICE-lite transport, as mediasoup names them.
public enum ICEState: String, Sendable, Hashable {
    case new, connected, completed, disconnected, closed
}

/// DTLS states, as mediasoup names them.
public enum DTLSState: String, Sendable, Hashable {
    case new, connecting, connected, failed, closed
}

/// The server's side of the DTLS handshake.
public enum DTLSRole: String, Sendable, Hashable {
    case auto, client, server
}
