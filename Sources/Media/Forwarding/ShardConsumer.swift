/// A consumer as its shard knows it: which packets it gets, and what they become for it.
// Safe: pointers are owned by the shard, which clears every reference to one before freeing it (`Shard+Lifetimes`).
struct ShardConsumer: ~Copyable {
    /// Where this consumer stands towards its source.
    enum Flow {
        /// Paused by itself or by its producer, or the transport has no keys yet.
        case stopped
        /// Waits for a packet at which decoding can start.
        case awaitingKeyFrame
        /// Gets the newest group of pictures from its beginning, faster than it was sent, and nothing newer yet.
        case catchingUp
        case flowing
    }

    let key: ConsumerKey
    let transport: UnsafeMutablePointer<MediaTransport>
    var source: UnsafeMutablePointer<ConsumerSource>
    let ssrc: UInt32
    var cname: String
    let kind: MediaKind
    let canRetransmit: Bool
    let usesTransportWideSequence: Bool
    let stampsSendTime: Bool
    /// The MID element, nine bytes behind each other; zeros (padding) without a MID.
    let midHead: UInt64
    let midTail: UInt8
    var isPaused: Bool
    var isProducerPaused: Bool
    /// Opus packets of silence are left out.
    let ignoresDTX: Bool
    var flow = Flow.stopped
    /// What is chosen of the source; `nil` where its only stream is forwarded whole, untouched.
    var selection: UnsafeMutablePointer<LayerSelection>?
    /// Whether the newest packet sent was not its picture's last one.
    var isInsideFrame = false
    /// Of a stream that is forwarded whole: the newest packet that came before the key frame it waits for.
    private var newestHeld: UInt64 = 0
    /// Of one that catches up: what it gets next.
    var nextOfGroup: UInt64 = 0
    var wish = KeyFrameWish()
    var sequence: SequenceRewriter
    var timestamps: TimestampRewriter
    /// The first number of the current source: older ones had other timestamps and are not sent again, because the same
    /// number with other bytes would reuse an SRTP nonce.
    var firstResendable: UInt64 = 0
    var stream: SendStream
    var pacer: ReportPacer
    /// The kinds of packets that are traced.
    var traces: TraceKinds = []
    var descriptors: DescriptorForwarding
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
        usesTransportWideSequence = mayStamp && settings.headerExtensions[.transportWideSequence] != 0
        stampsSendTime = mayStamp && settings.headerExtensions[.absSendTime] != 0
        (midHead, midTail) = Self.midElement(settings)
        isPaused = settings.isPaused
        isProducerPaused = settings.isProducerPaused
        ignoresDTX = settings.ignoresDTX && settings.kind == .audio
        selection = LayerSelection.make(
            codec: settings.codecs.first?.codec ?? .other, encodings: settings.encodings.count, settings.scalability,
            preferred: settings.preferredLayers)
        sequence = SequenceRewriter(firstOutput: UInt64(firstSequence))
        let clockRate = settings.codecs.first?.clockRate ?? 90_000
        timestamps = TimestampRewriter(clockRate: clockRate)
        stream = SendStream(
            ssrc: settings.ssrc, rtxSSRC: settings.rtxSSRC, clockRate: clockRate, firstRTXSequence: firstRTXSequence)
        pacer = ReportPacer(kind: settings.kind)
        descriptors = DescriptorForwarding(isWanted: settings.headerExtensions[.dependencyDescriptor] != 0)
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
        selection?.deinitialize(count: 1)
        selection?.deallocate()
    }

    var clockRate: UInt32 { codecs.first?.clockRate ?? 90_000 }

    /// The codec that the consumer prefers, which is its producer's.
    var codec: CodecKind { codecs.first?.codec ?? .other }

    /// Whether the consumer negotiated a (router's) payload type.
    func accepts(_ payloadType: UInt8) -> Bool {
        accepted[Int(payloadType >> 6) & 1] & (1 << UInt64(payloadType & 63)) != 0
    }

    /// Whether something is being sent.
    var hasBegun: Bool {
        switch flow {
        case .stopped, .awaitingKeyFrame: false
        case .catchingUp, .flowing: true
        }
    }

    /// The encoding that is being sent; `nil` while none is.
    var currentEncoding: Int? {
        guard hasBegun else { return nil }
        guard let selection, selection.pointee.kind == .encodings else { return 0 }
        return selection.pointee.encodings.currentEncoding
    }

    /// What is to be reported of what is being sent; `nil` while there is nothing.
    func makeSenderReport(at now: MediaInstant, ntp: UInt64) -> SenderReportValues? {
        guard case .flowing = flow, let currentEncoding else { return nil }
        return stream.makeSenderReport(
            at: now, ntp: ntp, by: source.pointee.activity.report(of: currentEncoding), offset: timestamps.currentOffset
        )
    }

    /// The RTX payload type for a media payload type.
    func rtxPayloadType(for payloadType: UInt8) -> UInt8? {
        for codec in codecs where codec.payloadType == payloadType { return codec.rtxPayloadType }
        return nil
    }

    /// Begins with a key frame again, behind what was sent.
    mutating func restart() {
        newestHeld = 0
        selection?.pointee.restart()
        if hasBegun { flow = .awaitingKeyFrame }
    }

    /// What comes from now on is another source's.
    mutating func switchSource(_ settings: SourceSettings, pictures: PictureIDRewriter, preferred: ConsumerLayers?) {
        restart()
        wish.sourceChanged()
        descriptors.sourceChanged()
        cname = settings.cname
        isProducerPaused = settings.isProducerPaused
        selection?.deinitialize(count: 1)
        selection?.deallocate()
        selection = LayerSelection.make(
            codec: codec, encodings: settings.encodings.count, settings.scalability, preferred: preferred,
            isNeeded: pictures.isSynchronised)
        selection?.pointee.pictures = pictures
    }

    /// Judges a packet of a stream that is forwarded whole: held until a key frame begins, then forwarded.
    mutating func judgeWhole(_ sequence: UInt64, canStart: Bool) -> LayerDecision {
        if case .flowing = flow { return .forward }
        let isStart = canStart && newestHeld <= sequence &+ EncodingSelector.longestHold
        newestHeld = max(newestHeld, sequence)
        return isStart ? .begin : .hold
    }

    /// The last of the held packets that follow the one that got `begin`.
    var heldThrough: UInt64 { selection?.pointee.heldThrough ?? newestHeld }

    /// Whether packets of an encoding are being sent.
    func isSending(encoding: Int) -> Bool {
        guard case .flowing = flow else { return false }
        return selection?.pointee.isSending(encoding: encoding) ?? true
    }

    /// The encoding whose key frame would bring what the consumer waits for.
    var wantedKeyFrame: Int? {
        switch flow {
        case .stopped, .catchingUp: nil
        case .awaitingKeyFrame:
            if let selection, selection.pointee.kind == .encodings { selection.pointee.wantedKeyFrame } else { 0 }
        case .flowing: selection?.pointee.wantedKeyFrame
        }
    }

    /// Closes wishes that have been granted or have become pointless.
    mutating func settleWishes() {
        let isStopped = if case .stopped = flow { true } else { false }
        if let encoding = wish.encoding(of: .start), encoding != wantedKeyFrame {
            wish.close(.start, keyFrame: source.pointee.lastKeyFrame(of: encoding))
        }
        if let encoding = wish.encoding(of: .receiver) {
            let keyFrame = source.pointee.lastKeyFrame(of: encoding)
            let isOther = encoding != currentEncoding ?? wantedKeyFrame ?? encoding
            if isStopped || isOther || wish.isGranted(.receiver, by: keyFrame) {
                wish.close(.receiver, keyFrame: keyFrame)
            }
        }
    }

    /// What a key frame is for that it has to have.
    var need: KeyFrameRequester.Need { isNew ? .joining : .change }

    /// What a key frame of other layers is for. One that has just begun still joins: a page knows how large it shows a
    /// picture once it shows it, and a crowd of them asks one by one.
    func needOfLayers(at now: MediaInstant) -> KeyFrameRequester.Need {
        if let settled = selection?.pointee.settled, now < settled { .joining } else { need }
    }

    /// Whether nothing was sent yet.
    var isNew: Bool { stream.highestExtended == nil }

    /// Whether a packet of the current source is numbered further on than any loss explains.
    func isBeyondReach(_ number: UInt64) -> Bool {
        sequence.isSynchronised && number > sequence.nextInput && number - sequence.nextInput >= Self.reach
    }

    /// Whether a packet of the source is left out, the numbers behind it moving up.
    func leavesOut(_ packet: PreparedPacket) -> Bool {
        packet.isPaddingOnly || (ignoresDTX && packet.layers.flags.contains(.isDTX))
    }

    /// Half a cycle: beyond it a receiver cannot tell the roll-over counter.
    private static let reach: UInt64 = 0x8000

    var wantsMedia: Bool { !isPaused && !isProducerPaused }

    private static func midElement(_ settings: ConsumerSettings) -> (UInt64, UInt8) {
        guard settings.headerExtensions[.mid] != 0, let mid = settings.mid?.utf8,
            (1...HeaderTemplate.midCapacity).contains(mid.count)
        else { return (0, 0) }
        var bytes = [HeaderExtension.mid.routerID << 4 | UInt8(truncatingIfNeeded: mid.count - 1)] + Array(mid)
        while bytes.count < HeaderTemplate.midCapacity + 1 { bytes.append(0) }
        let head = bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return (head.bigEndian, bytes[8])
    }
}

/// A producer as a shard with consumers of it sees it: the consumers in a row, and the recent packets they may ask for again.
// Safe: `consumers` owns `capacity` pointers of which `count` are initialised; `histories` owns `encodings` buffers.
struct ConsumerSource: ~Copyable {
    let key: ProducerKey
    let kind: MediaKind
    let encodings: Int
    private(set) var consumers: UnsafeMutablePointer<UnsafeMutablePointer<ShardConsumer>>
    private(set) var count = 0
    private var capacity = 4
    /// Everything is kept while some consumer can ask for packets again, else the newest group of pictures while it is
    /// young (`keeps`).
    let histories: UnsafeMutablePointer<RetransmissionBuffer>
    var retransmittingConsumers = 0
    /// Another shard has been asked for what it keeps: who starts waits for that.
    var isAwaitingKeptPackets = false
    /// When a key frame was last asked for, by encoding: consumers that wait ask again only after a while.
    var lastKeyFrameRequest: [MediaInstant?]
    /// When one last came, by encoding.
    private var keyFrames: [MediaInstant?]
    /// By encoding: the newest key frame of which everything since is kept.
    private var groups: [PictureGroup?]
    /// Which encodings there are, and how their clocks relate.
    var activity: SourceEncodings
    /// Of the newest VP8 packet: where the names of pictures stand, for a consumer that is switched away.
    var newestPicture = PacketLayers()

    /// Packets of an encoding that are kept while nobody can ask for them again: 2.5 s of 3 Mb/s, and 1.6 MB at most.
    static let mostForNobody = 1000

    init(key: ProducerKey, kind: MediaKind, encodings: Int, clockRate: UInt32, usesDTX: Bool) {
        self.key = key
        self.kind = kind
        self.encodings = min(max(encodings, 1), SourceEncodings.capacity)
        activity = SourceEncodings(count: encodings, clockRate: clockRate, usesDTX: usesDTX)
        consumers = .allocate(capacity: capacity)
        histories = .allocate(capacity: self.encodings)
        let window = kind == .video ? RetransmissionBuffer.videoWindow : RetransmissionBuffer.audioWindow
        for index in 0..<self.encodings { (histories + index).initialize(to: RetransmissionBuffer(window: window)) }
        lastKeyFrameRequest = Array(repeating: nil, count: self.encodings)
        keyFrames = Array(repeating: nil, count: self.encodings)
        groups = Array(repeating: nil, count: self.encodings)
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

    func lastKeyFrame(of encoding: Int) -> MediaInstant? {
        encoding >= 0 && encoding < encodings ? keyFrames[encoding] : nil
    }

    /// A packet at which decoding can start is to be forwarded.
    mutating func keyFrameReceived(_ encoding: UInt8, at now: MediaInstant) { keyFrames[Int(encoding)] = now }

    // MARK: The newest group of pictures

    /// A packet at which decoding can start was stored.
    mutating func keyFrameStored(_ packet: PreparedPacket) {
        if let group = groups[Int(packet.encoding)] {
            // Parameter sets may fill packets of their own; and an older key frame may come late.
            let isSame = group.timestamp == packet.timestamp
            guard isSame ? packet.sequence < group.first : packet.sequence > group.first else { return }
        }
        groups[Int(packet.encoding)] = PictureGroup(first: packet.sequence, timestamp: packet.timestamp)
    }

    /// Whether a packet is kept: for repairs, or because a consumer that comes soon can start with its group of pictures.
    mutating func keeps(_ packet: PreparedPacket, at now: MediaInstant) -> Bool {
        if retransmittingConsumers > 0 { return true }
        guard kind == .video else { return false }
        let history = histories + Int(packet.encoding)
        let isYoung = packet.isKeyFrame || firstOfGroup(of: Int(packet.encoding), at: now) != nil
        if isYoung, history.pointee.storedCount < Self.mostForNobody { return true }
        if history.pointee.newest != nil {
            forgetGroup(of: Int(packet.encoding))
            history.pointee.removeAllAndRelease()
        }
        return false
    }

    /// Something that belongs to the group was not kept, or the stream began anew.
    mutating func forgetGroup(of encoding: Int) {
        guard encoding >= 0, encoding < encodings else { return }
        groups[encoding] = nil
    }

    /// What comes from now on needs something that never came.
    mutating func forgetGroups() {
        for encoding in 0..<encodings { groups[encoding] = nil }
    }

    /// The first packet of an encoding's newest group of pictures, if all of the group is kept.
    func firstOfGroup(of encoding: Int, at now: MediaInstant) -> UInt64? {
        guard encoding >= 0, encoding < encodings, let first = groups[encoding]?.first,
            histories[encoding].find(extended: first, at: now) != nil
        else { return nil }
        return first
    }
}

/// A key frame and everything since: what a receiver needs that has had nothing.
struct PictureGroup {
    /// Its first packet's number.
    var first: UInt64
    /// Its first picture's.
    var timestamp: UInt32
}
