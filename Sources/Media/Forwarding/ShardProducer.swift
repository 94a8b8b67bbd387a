/// A producer as its shard knows it: the streams it receives and who wants them.
// Safe: pointers to transports and streams are owned by the shard, which clears every reference to one before freeing it
// (`Shard+Lifetimes`); `codecs` is owned here and freed in `deinit`.
struct ShardProducer: ~Copyable {
    let key: ProducerKey
    let transport: UnsafeMutablePointer<MediaTransport>
    let settings: ProducerSettings
    /// The client's numbers for header extensions in this media section.
    let extensionIDs: HeaderExtensionIDs
    /// One per encoding, once its SSRC is known.
    var streams: [UnsafeMutablePointer<ReceivingStream>?]
    /// Per encoding: added to its stream's extended sequence numbers, so that they only grow when another stream takes
    /// its place.
    private var sequenceBases: [UInt64]
    var isPaused: Bool
    /// Whether a packet of it was of use since it was last looked, and ever.
    var isHeard = false
    var hasEverBeenHeard = false
    /// Whether a key frame has come.
    var hasKeyFrame = false
    /// How its picture is to be turned, as the room was told, and when.
    var orientation: (encoded: UInt8, at: MediaInstant)?
    /// What its consumers lose, of an Opus producer.
    var consumerLoss = WorstConsumerLoss()
    /// The kinds of packets that are traced.
    var traces: TraceKinds = []
    /// Bit n: shard n has consumers of this producer.
    var subscribedShards: UInt64 = 0
    private let codecs: UnsafeMutableBufferPointer<ProducerCodec>

    init(key: ProducerKey, transport: UnsafeMutablePointer<MediaTransport>, settings: ProducerSettings) {
        self.key = key
        self.transport = transport
        self.settings = settings
        extensionIDs = settings.headerExtensions
        streams = Array(repeating: nil, count: settings.encodings.count)
        sequenceBases = Array(repeating: 0, count: settings.encodings.count)
        isPaused = settings.isPaused
        codecs = .allocate(capacity: settings.codecs.count)
        _ = codecs.initialize(from: settings.codecs)
    }

    deinit { codecs.deallocate() }

    mutating func heard(isKeyFrame: Bool) {
        isHeard = true
        hasEverBeenHeard = true
        if isKeyFrame { hasKeyFrame = true }
    }

    /// A packet's number as consumers get it.
    func sequence(_ extended: UInt64, encoding: Int) -> UInt64 { extended &+ sequenceBases[encoding] }

    /// The encoding's stream ends: the next one's numbers begin two cycles on, as after a restart within a stream.
    mutating func streamEnded(encoding: Int, highest: UInt64) {
        sequenceBases[encoding] = (sequence(highest, encoding: encoding) >> 16 &+ 1) << 16
    }

    /// The codec a media payload type stands for.
    func codec(forPayloadType payloadType: UInt8) -> ProducerCodec? {
        for codec in codecs where codec.payloadType == payloadType { return codec }
        return nil
    }

    /// The media codec whose retransmissions have this payload type.
    func codec(forRTXPayloadType payloadType: UInt8) -> ProducerCodec? {
        for codec in codecs where codec.rtxPayloadType == payloadType { return codec }
        return nil
    }

    /// Whether the sender protects its packets as its reports' loss tells it to (RFC 7587 §6.1).
    var usesInBandFEC: Bool { codecs.contains { $0.codec == .opus && $0.usesInBandFEC } }

    /// What a stream is set up for before its first packet.
    var primaryCodec: ProducerCodec? { codecs.first }
}

/// One SSRC that a producer receives, with its retransmissions.
struct ReceivingStream: ~Copyable {
    let producer: UnsafeMutablePointer<ShardProducer>
    let encoding: Int
    let feedback: FeedbackSupport
    var stream: ReceiveStream
    var nacks = NACKGenerator()
    var keyFrames: KeyFrameRequester
    var pacer: ReportPacer
    var score: ReceiveScore
    var levels = AudioLevelBatch()
    var layerRates: LayerRates
    /// The command sequence number of the last FIR (RFC 5104 §4.3.1.1).
    var fullIntraRequest: UInt8 = 0
    var layers: LayerReader
    /// What other shards' consumers have to know before its packets reach them.
    var activity = SourceEncodings.Encoding()

    init(producer: UnsafeMutablePointer<ShardProducer>, encoding: Int, ssrc: SSRC, codec: ProducerCodec) {
        self.producer = producer
        self.encoding = encoding
        feedback = codec.feedback
        stream = ReceiveStream(
            ssrc: ssrc, clockRate: codec.clockRate,
            rateWindow: producer.pointee.settings.encodings.count > 1 ? .milliseconds(2500) : .seconds(1))
        let scalability = producer.pointee.settings.scalability
        layerRates = LayerRates(
            spatialLayers: scalability.spatialLayers, temporalLayers: scalability.temporalLayers,
            window: scalability.usesDTX ? .seconds(6) : .milliseconds(2500))
        score = ReceiveScore(
            isOneOfSeveral: producer.pointee.settings.encodings.count > 1,
            usesDTX: producer.pointee.settings.scalability.usesDTX)
        keyFrames = KeyFrameRequester(delay: producer.pointee.settings.keyFrameRequestDelay)
        pacer = ReportPacer(kind: producer.pointee.settings.kind)
        layers = LayerReader(codec: codec.codec, isKSVC: producer.pointee.settings.scalability.isKSVC)
    }

    /// The earliest time at which `Shard.streamDeadlineReached` has something to do.
    var nextDeadline: MediaInstant? {
        earliest(earliest(nacks.nextDeadline, keyFrames.nextDeadline), score.nextDeadline)
    }
}

/// The earlier of two deadlines, either of which may be missing.
func earliest(_ a: MediaInstant?, _ b: MediaInstant?) -> MediaInstant? {
    guard let a else { return b }
    guard let b else { return a }
    return min(a, b)
}
