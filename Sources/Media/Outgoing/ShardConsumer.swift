/// A consumer on its shard: its stream, and what the stream's packets look like on its transport.
struct ShardConsumer: ~Copyable {
    let key: ConsumerKey
    let transport: Slot<MediaTransport>
    var feed: Slot<ProducerFeed>
    var isPaused: Bool
    var isProducerPaused: Bool
    /// Against the others of its transport: who gets layers first where not all fit. Not in snapshots: its share has it.
    var priority: UInt8
    /// Nothing of it fits its receiver's network. Not in snapshots: that is found out again at once.
    var isPausedForBudget = false
    /// The kinds of packets that are traced.
    var traces: TraceKinds = []
    var header: HeaderWriter
    var stream: OutgoingStream
    var throttle: ReportThrottle
    /// The producer's canonical name, for the SDES beside sender reports.
    var cname: String

    init(
        key: ConsumerKey, transport: Slot<MediaTransport>,
        feed: Slot<ProducerFeed>, settings: ConsumerSettings, firstSequence: UInt16,
        firstRTXSequence: UInt16
    ) {
        self.key = key
        self.transport = transport
        self.feed = feed
        isPaused = settings.isPaused
        isProducerPaused = settings.isProducerPaused
        priority = settings.priority
        header = HeaderWriter(settings)
        stream = OutgoingStream(settings, firstSequence: firstSequence, firstRTXSequence: firstRTXSequence)
        throttle = ReportThrottle(kind: settings.kind)
        cname = settings.cname
    }

    deinit { header.deallocate() }

    var wantsMedia: Bool { !isPaused && !isProducerPaused }

    /// A different producer's packets come from now on.
    /// - Parameter newest: of the old producer, where the pictures' numbers stood.
    mutating func switchSource(_ settings: SourceSettings, newest: PacketLayers) {
        cname = settings.cname
        isProducerPaused = settings.isProducerPaused
        header.sourceChanged()
        stream.switchSource(settings, newest: newest)
    }
}

extension ShardConsumer: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let key = ConsumerKey(rawValue: try reader.readUInt64())
        let transport: Slot<MediaTransport> = try reader.read()
        let feed: Slot<ProducerFeed> = try reader.read()
        let isPaused: Bool = try reader.read()
        let isProducerPaused: Bool = try reader.read()
        let traces: TraceKinds = try reader.read()
        let cname = try reader.readText(atMost: 0xFFFF)
        let throttle: ReportThrottle = try reader.read()
        let stream: OutgoingStream = try reader.read()
        // The last: it owns memory that only a whole consumer gives back.
        let header: HeaderWriter = try reader.read()
        self.key = key
        self.transport = transport
        self.feed = feed
        self.isPaused = isPaused
        self.isProducerPaused = isProducerPaused
        priority = 1
        self.traces = traces
        self.cname = cname
        self.throttle = throttle
        self.stream = stream
        self.header = header
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt64(key.rawValue)
        writer.write(transport)
        writer.write(feed)
        writer.write(isPaused)
        writer.write(isProducerPaused)
        writer.write(traces)
        writer.writeText(cname)
        writer.write(throttle)
        writer.write(stream)
        writer.write(header)
    }
}
