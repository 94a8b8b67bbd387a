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

    /// What of its packets is taken.
    var bucket = IngressBucket()
    var traffic = TransportTraffic()
    var packetsReceived: UInt64 = 0
    var packetsSent: UInt64 = 0
    /// What its client's network carries, if its room wants that and its client says what arrives. Not in snapshots: it has a section of its own.
    var bandwidth: Slot<TransportBandwidth>?
    /// How much its client should send, if something says so. Not in snapshots: it has a section of its own.
    var incoming: Slot<IncomingBandwidth>?
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
        /// What its room lets it be sent; `nil`: whatever its consumers want. Not in snapshots: what bounds it has them.
        var limits: BitrateLimits?
        /// How often its client gets feedback. Not in snapshots: it has a section of its own.
        var pace = FeedbackPace()
        /// What its client should send at most, in bits per second. Not in snapshots: what says so to the client has it.
        var maximumIncoming: UInt64?
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

// MARK: Snapshot

extension MediaTransport {
    /// - Parameters:
    ///   - association: restored before.
    ///   - events: of the room that has the transport.
    init(
        restoring reader: inout SnapshotReader, key: TransportKey, association: Association, events: EventQueue
    ) throws(WireError) {
        try reader.readVersion(1)
        let feedbackSSRC = try reader.readUInt32()
        let protection: PacketProtection = try reader.read()
        let hasRoute: Bool = try reader.read()
        // Of a plain transport the number is the new socket's, which its shard puts in.
        let route: Route =
            hasRoute ? .udp(socket: Int(try reader.readUInt16()), remote: try reader.read()) : .none
        let extensionIDs: HeaderExtensionIDs = try reader.read()
        var streams = SSRCTable<StreamReference>()
        for _ in 0..<(try reader.readCount(atMost: 0xFFFF)) {
            let ssrc = try reader.readUInt32()
            streams.insert(ssrc, StreamReference(stream: try reader.read(), isRTX: try reader.read()))
        }
        var producers: [Slot<ShardProducer>] = []
        for _ in 0..<(try reader.readCount(atMost: 0xFFFF)) { producers.append(try reader.read()) }
        var consumers: [Slot<ShardConsumer>] = []
        for _ in 0..<(try reader.readCount(atMost: 0xFFFF)) { consumers.append(try reader.read()) }
        var consumersBySSRC = SSRCTable<Slot<ShardConsumer>>()
        for _ in 0..<(try reader.readCount(atMost: 0xFFFF)) {
            consumersBySSRC.insert(try reader.readUInt32(), try reader.read())
        }
        let sendsFeedback: Bool = try reader.read()
        let recorder: TransportWideRecorder = try reader.read()
        let reports: ReportScheduler = try reader.read()
        let transportWideSequence = try reader.readUInt16()
        let hasReference: Bool = try reader.read()
        let reference: (UInt32, UInt32, MediaInstant)? =
            hasReference ? (try reader.readUInt32(), try reader.readUInt32(), try reader.read()) : nil
        let hasAudioLevels: Bool = try reader.read()
        let traceLimiter: TraceLimiter = try reader.read()
        let traffic: TransportTraffic = try reader.read()
        let packetsReceived = try reader.readUInt64()
        let packetsSent = try reader.readUInt64()
        let history = History(
            traffic: try reader.read(), lossSent: try reader.read(), lossReceived: try reader.read(),
            senderClocks: try reader.read(), reception: try reader.read())
        self.key = key
        self.association = association
        self.events = events
        self.feedbackSSRC = feedbackSSRC
        self.protection = protection
        self.recorder = recorder
        self.reports = reports
        self.history = history
        self.route = route
        self.extensionIDs = extensionIDs
        self.streams = streams
        self.producers = producers
        self.consumers = consumers
        self.consumersBySSRC = consumersBySSRC
        sendsTransportFeedback = sendsFeedback
        self.transportWideSequence = transportWideSequence
        receiverReference = reference.map { (compactNTP: $0.0, ssrc: $0.1, arrival: $0.2) }
        self.hasAudioLevels = hasAudioLevels
        self.traceLimiter = traceLimiter
        self.traffic = traffic
        self.packetsReceived = packetsReceived
        self.packetsSent = packetsSent
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(1)
        writer.writeUInt32(feedbackSSRC)
        writer.write(protection)
        switch route {
        // Connections end with their process.
        case .none, .tcp: writer.write(false)
        case .udp(let socket, let remote):
            writer.write(true)
            writer.writeUInt16(UInt16(truncatingIfNeeded: socket))
            writer.write(remote)
        }
        writer.write(extensionIDs)
        let received = streams.entries
        writer.writeCount(received.count)
        for (ssrc, reference) in received {
            writer.writeUInt32(ssrc)
            writer.write(reference.stream)
            writer.write(reference.isRTX)
        }
        writer.writeCount(producers.count)
        for producer in producers { writer.write(producer) }
        writer.writeCount(consumers.count)
        for consumer in consumers { writer.write(consumer) }
        let sent = consumersBySSRC.entries
        writer.writeCount(sent.count)
        for (ssrc, consumer) in sent {
            writer.writeUInt32(ssrc)
            writer.write(consumer)
        }
        writer.write(sendsTransportFeedback)
        writer.write(recorder)
        writer.write(reports)
        writer.writeUInt16(transportWideSequence)
        writer.write(receiverReference != nil)
        if let receiverReference {
            writer.writeUInt32(receiverReference.compactNTP)
            writer.writeUInt32(receiverReference.ssrc)
            writer.write(receiverReference.arrival)
        }
        writer.write(hasAudioLevels)
        writer.write(traceLimiter)
        writer.write(traffic)
        writer.writeUInt64(packetsReceived)
        writer.writeUInt64(packetsSent)
        writer.write(history.traffic)
        writer.write(history.lossSent)
        writer.write(history.lossReceived)
        writer.write(history.senderClocks)
        writer.write(history.reception)
    }
}
