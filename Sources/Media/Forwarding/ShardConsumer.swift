/// A consumer as its shard knows it: which packets it gets, and what they become for it.
// Safe: pointers are owned by the shard, which clears every reference to one before freeing it (`Shard+Lifetimes`).
struct ShardConsumer: ~Copyable {
    /// Where this consumer stands towards its source.
    enum Flow {
        /// Paused by itself or by its producer, or the transport has no keys yet.
        case stopped
        /// Waits for a packet at which decoding can start.
        case awaitingKeyFrame
        case flowing
    }

    let key: ConsumerKey
    let transport: UnsafeMutablePointer<MediaTransport>
    let source: UnsafeMutablePointer<ConsumerSource>
    let ssrc: UInt32
    let cname: String
    let kind: MediaKind
    let canRetransmit: Bool
    let usesTransportWideSequence: Bool
    let stampsSendTime: Bool
    /// The MID element, nine bytes behind each other; zeros (padding) without a MID.
    let midHead: UInt64
    let midTail: UInt8
    var isPaused: Bool
    var isProducerPaused: Bool
    var flow = Flow.stopped
    var selector: SimulcastSelector
    /// Whether the last packet sent was not its frame's last one.
    var isInsideFrame = false
    var sequence: SequenceRewriter
    var timestamps: TimestampRewriter
    /// The first number of the current source: older ones had other timestamps and are not sent again, because the same
    /// number with other bytes would reuse an SRTP nonce.
    var firstResendable: UInt64 = 0
    var stream: SendStream
    var pacer: ReportPacer
    /// For a client with numbers of its own.
    let renumbering: PacketRenumbering?
    private let codecs: UnsafeMutableBufferPointer<ConsumerCodec>
    /// Bit p: payload type p is accepted.
    private var accepted = InlineArray<2, UInt64>(repeating: 0)

    init(
        key: ConsumerKey, transport: UnsafeMutablePointer<MediaTransport>,
        source: UnsafeMutablePointer<ConsumerSource>, settings: ConsumerSettings, firstSequence: UInt16,
        firstRTXSequence: UInt16
    ) {
        self.key = key
        self.transport = transport
        self.source = source
        ssrc = settings.ssrc.rawValue
        cname = settings.cname
        kind = settings.kind
        let wantsNACK = settings.codecs.contains { $0.feedback.contains(.nack) }
        let hasRTX = settings.rtxSSRC != nil && settings.codecs.contains { $0.rtxPayloadType != nil }
        canRetransmit = wantsNACK
        // Without RTX a lost packet is sent again under its own number, so under the same SRTP nonce: it must be the same
        // bytes (RFC 7714 §8.1), which rules out anything that depends on when it is sent.
        let mayStamp = hasRTX || !wantsNACK
        usesTransportWideSequence = mayStamp && settings.headerExtensions.transportWideSequence != 0
        stampsSendTime = mayStamp && settings.headerExtensions.absSendTime != 0
        (midHead, midTail) = Self.midElement(settings)
        isPaused = settings.isPaused
        isProducerPaused = settings.isProducerPaused
        selector = SimulcastSelector(encodings: settings.encodings.count)
        sequence = SequenceRewriter(firstOutput: UInt64(firstSequence))
        let clockRate = settings.codecs.first?.clockRate ?? 90_000
        timestamps = TimestampRewriter(clockRate: clockRate)
        stream = SendStream(
            ssrc: settings.ssrc, rtxSSRC: settings.rtxSSRC, clockRate: clockRate, firstRTXSequence: firstRTXSequence)
        pacer = ReportPacer(kind: settings.kind)
        renumbering = settings.numbering.map { PacketRenumbering($0) }
        codecs = .allocate(capacity: settings.codecs.count)
        _ = codecs.initialize(from: settings.codecs)
        for codec in settings.codecs {
            accepted[Int(codec.payloadType >> 6) & 1] |= 1 << UInt64(codec.payloadType & 63)
        }
    }

    deinit {
        codecs.deallocate()
        renumbering?.deallocate()
    }

    /// Whether the consumer negotiated a (router's) payload type.
    func accepts(_ payloadType: UInt8) -> Bool {
        accepted[Int(payloadType >> 6) & 1] & (1 << UInt64(payloadType & 63)) != 0
    }

    /// The RTX payload type for a media payload type.
    func rtxPayloadType(for payloadType: UInt8) -> UInt8? {
        for codec in codecs where codec.payloadType == payloadType { return codec.rtxPayloadType }
        return nil
    }

    /// Whether a packet of the current source is numbered further on than any loss explains.
    func isBeyondReach(_ number: UInt64) -> Bool {
        sequence.isSynchronised && number > sequence.nextInput && number - sequence.nextInput >= Self.reach
    }

    /// Half a cycle: beyond it a receiver cannot tell the roll-over counter.
    private static let reach: UInt64 = 0x8000

    var wantsMedia: Bool { !isPaused && !isProducerPaused }

    private static func midElement(_ settings: ConsumerSettings) -> (UInt64, UInt8) {
        guard settings.headerExtensions.mid != 0, let mid = settings.mid?.utf8,
            (1...HeaderTemplate.midCapacity).contains(mid.count)
        else { return (0, 0) }
        var bytes = [RouterExtensionID.mid << 4 | UInt8(truncatingIfNeeded: mid.count - 1)] + Array(mid)
        while bytes.count < HeaderTemplate.midCapacity + 1 { bytes.append(0) }
        let head = bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return (head.bigEndian, bytes[8])
    }
}

/// A producer as a shard with consumers of it sees it: the consumers in a row, and the recent packets they may ask for again.
// Safe: `consumers` owns `capacity` pointers of which `count` are initialised; `histories` owns `encodings` buffers.
struct ConsumerSource: ~Copyable {
    let key: ProducerKey
    let encodings: Int
    private(set) var consumers: UnsafeMutablePointer<UnsafeMutablePointer<ShardConsumer>>
    private(set) var count = 0
    private var capacity = 4
    /// Kept only while some consumer can ask for packets again.
    let histories: UnsafeMutablePointer<RetransmissionBuffer>
    var retransmittingConsumers = 0
    /// When a key frame was last asked for, by encoding: consumers that wait ask again only after a while.
    var lastKeyFrameRequest: [MediaInstant?]

    static let keyFrameRequestInterval = MediaDuration.milliseconds(500)

    init(key: ProducerKey, kind: MediaKind, encodings: Int) {
        self.key = key
        self.encodings = max(encodings, 1)
        consumers = .allocate(capacity: capacity)
        histories = .allocate(capacity: self.encodings)
        let window = kind == .video ? RetransmissionBuffer.videoWindow : RetransmissionBuffer.audioWindow
        for index in 0..<self.encodings { (histories + index).initialize(to: RetransmissionBuffer(window: window)) }
        lastKeyFrameRequest = Array(repeating: nil, count: self.encodings)
    }

    deinit {
        consumers.deallocate()
        histories.deinitialize(count: encodings)
        histories.deallocate()
    }

    mutating func add(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        if count == capacity {
            let grown = UnsafeMutablePointer<UnsafeMutablePointer<ShardConsumer>>.allocate(capacity: capacity * 2)
            grown.moveInitialize(from: consumers, count: count)
            consumers.deallocate()
            consumers = grown
            capacity *= 2
        }
        (consumers + count).initialize(to: consumer)
        count += 1
        if consumer.pointee.canRetransmit { retransmittingConsumers += 1 }
    }

    mutating func remove(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        for index in 0..<count where consumers[index] == consumer {
            if consumer.pointee.canRetransmit { retransmittingConsumers -= 1 }
            count -= 1
            consumers[index] = consumers[count]
            return
        }
    }
}
