/// A transport on its shard: its client's association, the protection of its packets, and the streams that share them.
struct MediaTransport: ~Copyable {
    /// A received SSRC: a media stream's own, or that of its retransmissions.
    struct StreamReference {
        var stream: Slot<IncomingStream>
        var isRTX: Bool
    }

    let key: TransportKey
    let events: EventQueue
    let association: Association
    var protection: PacketProtection

    /// Where everything is sent, but for a plain transport's RTCP.
    var route = Route.none
    /// The route's destination in the batcher, while it is current.
    var destination = EgressBatcher.DestinationIndex.none

    /// The ids of all its producers together, by which packets are numbered for feedback before their producer is known.
    var extensionIDs = HeaderExtensionIDs()
    var streams = SSRCTable<StreamReference>()
    var producers: [Slot<ShardProducer>] = []
    var consumers: [Slot<ShardConsumer>] = []
    /// Consumers by media and RTX SSRC, for RTCP.
    var consumersBySSRC = SSRCTable<Slot<ShardConsumer>>()

    /// Whether some producer negotiated transport-cc.
    var sendsTransportFeedback = false
    var recorder: TransportWideRecorder
    var reports: ReportScheduler
    /// Our SSRC as a sender of feedback.
    let feedbackSSRC: UInt32
    var transportWideSequence: UInt16 = 0
    /// The last receiver reference time the client sent (XR RRTR): its middle 32 bits, and when it came.
    var receiverReference: (compactNTP: UInt32, ssrc: UInt32, arrival: MediaInstant)?

    /// Whether there are audio levels since the last batch.
    var hasAudioLevels = false
    var traceLimiter = TraceLimiter()

    var traffic = TransportTraffic()
    var packetsReceived: UInt64 = 0
    var packetsSent: UInt64 = 0
    /// Stays the last: `hotBytes` leaves it out.
    var history: History

    /// What reports and statistics look at, and no packet.
    struct History {
        var traffic: TrafficSampler
        /// By our transport-wide numbering of what we send.
        var lossSent = PacketLossHistory()
        /// By the client's numbering of what it sends.
        var lossReceived = PacketLossHistory()
        var senderClocks = SenderClocks()
        var reception = ReceptionWatch()
    }

    init(
        key: TransportKey, association: Association, protection: consuming PacketProtection,
        events: EventQueue, feedbackSSRC: UInt32, now: MediaInstant
    ) {
        self.key = key
        self.events = events
        self.association = association
        self.protection = protection
        recorder = TransportWideRecorder()
        reports = ReportScheduler(startingAt: now)
        history = History(traffic: TrafficSampler(at: now))
        self.feedbackSSRC = feedbackSSRC
    }

    /// Whether media can be sent: keys, or none needed, and an address.
    var isReady: Bool { protection.canSend && route != .none }

    /// How much of a transport sending touches: the keys, the route and the counters.
    static var hotBytes: Int { MemoryLayout<MediaTransport>.size - MemoryLayout<History>.size }
}
