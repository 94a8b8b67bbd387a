/// A producer as its shard knows it: the streams it receives and who wants them.
struct ShardProducer: ~Copyable {
    let key: ProducerKey
    let transport: Slot<MediaTransport>
    let settings: ProducerSettings
    /// The client's numbers for header extensions in this media section.
    let extensionIDs: HeaderExtensionIDs
    /// One per encoding, once its SSRC is known.
    var streams: [Slot<IncomingStream>?]
    /// Per encoding: added to its stream's extended sequence numbers, so that they only grow when another stream takes
    /// its place.
    private var sequenceBases: [UInt64]
    var isPaused: Bool
    /// What of its packets is taken.
    var bucket = IngressBucket()
    /// Whether a packet of it was of use since it was last looked, and ever.
    var isHeard = false
    var hasEverBeenHeard = false
    /// Whether a key frame has come.
    var hasKeyFrame = false
    /// The video orientation last reported to the room, and when.
    var orientation: (encoded: UInt8, at: MediaInstant)?
    /// What its consumers lose, of an Opus producer.
    var consumerLoss = MaximumReceiverLoss()
    /// The kinds of packets that are traced.
    var traces: TraceKinds = []
    /// Bit n: shard n has consumers of this producer.
    var subscribedShards: UInt64 = 0
    private let codecs: [ProducerCodec]
    /// The router's payload type of what is sent now; none before it is known of several codecs. Not in snapshots: the next
    /// key frame says it again.
    private(set) var currentPayloadType: UInt8
    /// No packet has it.
    private static let noPayloadType = UInt8.max
    private var codecChangedAt: MediaInstant?
    /// The payload type of the newest packet of another codec that a decoder could begin with.
    private var begunPayloadType = noPayloadType
    /// The least time from one change of codec to the next: every one has consumers made and closed.
    private static let codecChangeDistance = MediaDuration.seconds(1)

    init(key: ProducerKey, transport: Slot<MediaTransport>, settings: ProducerSettings) {
        self.key = key
        self.transport = transport
        self.settings = settings
        extensionIDs = settings.headerExtensions
        streams = Array(repeating: nil, count: settings.encodings.count)
        sequenceBases = Array(repeating: 0, count: settings.encodings.count)
        isPaused = settings.isPaused
        codecs = settings.codecs
        currentPayloadType = settings.codecs.count == 1 ? settings.codecs[0].mappedPayloadType : Self.noPayloadType
    }

    /// A packet of a codec came that is not the current one.
    /// - Parameter canStart: whether a decoder can begin with it; others may be late.
    /// - Returns: whether the producer is of that codec from now on.
    mutating func codecSeen(_ codec: ProducerCodec, canStart: Bool, at now: MediaInstant) -> Bool {
        if canStart || !codec.codec.hasKeyFrames { begunPayloadType = codec.mappedPayloadType }
        guard codec.mappedPayloadType == begunPayloadType,
            codecChangedAt.map({ now - $0 >= Self.codecChangeDistance }) ?? true
        else { return false }
        currentPayloadType = codec.mappedPayloadType
        codecChangedAt = now
        return true
    }

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
        // By index: an iterator would keep count of references for each packet.
        for index in codecs.indices where codecs[index].payloadType == payloadType { return codecs[index] }
        return nil
    }

    /// The media codec whose retransmissions have this payload type.
    func codec(forRTXPayloadType payloadType: UInt8) -> ProducerCodec? {
        for index in codecs.indices where codecs[index].rtxPayloadType == payloadType { return codecs[index] }
        return nil
    }

    /// Whether the sender protects its packets as its reports' loss tells it to (RFC 7587 §6.1).
    var usesInBandFEC: Bool { codecs.contains { $0.codec == .opus && $0.usesInBandFEC } }

    /// What a stream is set up for before its first packet.
    var primaryCodec: ProducerCodec? { codecs.first }
}

// MARK: Snapshot

extension ShardProducer: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let key = ProducerKey(rawValue: try reader.readUInt64())
        let transport: Slot<MediaTransport> = try reader.read()
        let settings: ProducerSettings = try reader.read()
        var streams: [Slot<IncomingStream>?] = []
        var bases: [UInt64] = []
        for _ in settings.encodings {
            streams.append(try reader.readOptional())
            bases.append(try reader.readCounter())
        }
        let isPaused: Bool = try reader.read()
        let isHeard: Bool = try reader.read()
        let hasEverBeenHeard: Bool = try reader.read()
        let hasKeyFrame: Bool = try reader.read()
        let isTurned: Bool = try reader.read()
        let orientation: (UInt8, MediaInstant)? = isTurned ? (try reader.readUInt8(), try reader.read()) : nil
        let consumerLoss: MaximumReceiverLoss = try reader.read()
        let traces: TraceKinds = try reader.read()
        let shards = try reader.readUInt64()
        self.init(key: key, transport: transport, settings: settings)
        self.streams = streams
        sequenceBases = bases
        self.isPaused = isPaused
        self.isHeard = isHeard
        self.hasEverBeenHeard = hasEverBeenHeard
        self.hasKeyFrame = hasKeyFrame
        self.orientation = orientation.map { (encoded: $0.0, at: $0.1) }
        self.consumerLoss = consumerLoss
        self.traces = traces
        subscribedShards = shards
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt64(key.rawValue)
        writer.write(transport)
        writer.write(settings)
        for index in streams.indices {
            writer.writeOptional(streams[index])
            writer.writeUInt64(sequenceBases[index])
        }
        writer.write(isPaused)
        writer.write(isHeard)
        writer.write(hasEverBeenHeard)
        writer.write(hasKeyFrame)
        writer.write(orientation != nil)
        if let orientation {
            writer.writeUInt8(orientation.encoded)
            writer.write(orientation.at)
        }
        writer.write(consumerLoss)
        writer.write(traces)
        writer.writeUInt64(subscribedShards)
    }
}
