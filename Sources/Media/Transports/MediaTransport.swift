import CPrefetch

/// A transport on its shard: its client's association, the protection of its packets, and the streams that share them.
// Safe: reached by one thread only; pointers to streams, producers and consumers are owned by the shard, which clears
// every reference to one before freeing it (`Shard+Lifetimes`).
struct MediaTransport: ~Copyable {
    /// A received SSRC: a media stream's own, or that of its retransmissions.
    struct StreamReference {
        var stream: UnsafeMutablePointer<IncomingStream>
        var isRTX: Bool
    }

    let key: TransportKey
    /// The transport's index in the shard's table and timer wheel.
    let slot: Int
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
    var producers: [UnsafeMutablePointer<ShardProducer>] = []
    var consumers: [UnsafeMutablePointer<ShardConsumer>] = []
    /// Consumers by media and RTX SSRC, for RTCP.
    var consumersBySSRC = SSRCTable<UnsafeMutablePointer<ShardConsumer>>()

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
    /// Stays the last: `prefetch` leaves it out.
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
        key: TransportKey, slot: Int, association: Association, protection: consuming PacketProtection,
        events: EventQueue, feedbackSSRC: UInt32, now: MediaInstant
    ) {
        self.key = key
        self.slot = slot
        self.events = events
        self.association = association
        self.protection = protection
        recorder = TransportWideRecorder()
        reports = ReportScheduler(startingAt: now)
        history = History(traffic: TrafficSampler(at: now))
        self.feedbackSSRC = feedbackSSRC
    }

    /// The media SSRC of transport feedback: any of the sender's, as browsers expect one they know.
    var feedbackMediaSSRC: SSRC {
        for producer in producers {
            for case .some(let stream) in producer.pointee.streams { return stream.pointee.received.ssrc }
        }
        return SSRC(0)
    }

    /// Whether media can be sent: keys, or none needed, and an address.
    var isReady: Bool { protection.canSend && route != .none }

    /// Whether consumers' packets may be sent.
    var sendsMedia: Bool { isReady && association.mayReceiveMedia }

    /// Whether RTCP can be sent, too.
    var sendsRTCP: Bool { isReady && association.hasRTCPRoute }

    /// Asks for the lines that sending touches: the keys, the route and the counters.
    static func prefetch(_ transport: UnsafeMutablePointer<MediaTransport>) {
        cpf_prefetch(transport, UInt32(MemoryLayout<MediaTransport>.size - MemoryLayout<History>.size))
    }

    /// When the shard has something to do for this transport.
    var nextDeadline: MediaInstant? {
        var deadline = association.nextDeadline
        if sendsRTCP, !producers.isEmpty || !consumers.isEmpty { deadline = earliest(deadline, reports.nextDeadline) }
        if sendsTransportFeedback { deadline = earliest(deadline, recorder.nextDeadline) }
        deadline = earliest(deadline, history.reception.nextDeadline)
        for producer in producers {
            for case .some(let stream) in producer.pointee.streams {
                deadline = earliest(deadline, stream.pointee.nextDeadline)
            }
        }
        return deadline
    }
}
