/// A consumer on its shard: its stream, and what the stream's packets look like on its transport.
struct ShardConsumer: ~Copyable {
    let key: ConsumerKey
    let transport: Slot<MediaTransport>
    var feed: Slot<ProducerFeed>
    var isPaused: Bool
    var isProducerPaused: Bool
    /// The kinds of packets that are traced.
    var traces: TraceKinds = []
    var header: HeaderWriter
    var stream: OutgoingStream
    var pacer: ReportPacer
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
        header = HeaderWriter(settings)
        stream = OutgoingStream(settings, firstSequence: firstSequence, firstRTXSequence: firstRTXSequence)
        pacer = ReportPacer(kind: settings.kind)
        cname = settings.cname
    }

    deinit { header.deallocate() }

    var wantsMedia: Bool { !isPaused && !isProducerPaused }

    /// What comes from now on is another producer's.
    /// - Parameter newest: of the old producer, where the pictures' numbers stood.
    mutating func switchSource(_ settings: SourceSettings, newest: PacketLayers) {
        cname = settings.cname
        isProducerPaused = settings.isProducerPaused
        header.sourceChanged()
        stream.switchSource(settings, newest: newest)
    }
}
