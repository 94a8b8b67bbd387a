// Safe: what a cache returns is read before the cache changes.

/// What each receiver's network carries: its feedback goes to the transport's machines, and what these choose is carried
/// out.
extension Shard {
    // MARK: Consumers

    /// A consumer comes to a transport: its videos share what the network carries, if the room wants that, and the client
    /// says what arrives.
    mutating func bandwidthShared(by consumer: Slot<ShardConsumer>, _ settings: ConsumerSettings) {
        let transport = consumers[consumer].transport
        let isNumbered = settings.headerExtensions[.transportWideSequence] != 0
        let tells = settings.codecs.contains {
            isNumbered && $0.feedback.contains(.transportWide) || $0.feedback.contains(.receiverEstimatedMaximumBitrate)
        }
        if transports[transport].bandwidth == nil, tells, let limits = transports[transport].history.limits {
            var bandwidth = TransportBandwidth(limits, at: now)
            if let remote = transports[transport].route.remote {
                bandwidth.routeChanged(isIPv6: remote.family == .ipv6, at: now)
            }
            transports[transport].bandwidth = bandwidths.insert(bandwidth)
            for other in transports[transport].consumers where other != consumer { share(with: other) }
        }
        share(with: consumer)
        allocate(transport)
    }

    private mutating func share(with consumer: Slot<ShardConsumer>) {
        guard let bandwidth = transports[consumers[consumer].transport].bandwidth,
            consumers[consumer].stream.kind == .video
        else { return }
        bandwidths[bandwidth].add(consumer, priority: consumers[consumer].priority, at: now)
    }

    mutating func bandwidthLeft(by consumer: Slot<ShardConsumer>) {
        guard let bandwidth = transports[consumers[consumer].transport].bandwidth else { return }
        bandwidths[bandwidth].remove(consumer, at: now)
        bandwidths[bandwidth].history.remove(consumers[consumer].key)
    }

    mutating func closeBandwidth(of transport: Slot<MediaTransport>) {
        guard let bandwidth = transports[transport].bandwidth else { return }
        transports[transport].bandwidth = nil
        bandwidths.remove(bandwidth)
    }

    mutating func setPriority(_ priority: UInt8, of consumer: Slot<ShardConsumer>) {
        consumers[consumer].priority = max(priority, 1)
        guard let bandwidth = transports[consumers[consumer].transport].bandwidth else { return }
        bandwidths[bandwidth].setPriority(max(priority, 1), of: consumer, at: now)
        allocate(consumers[consumer].transport)
    }

    mutating func setBitrateLimits(_ limits: BitrateLimits?, of transport: Slot<MediaTransport>) {
        transports[transport].history.limits = limits
        guard let limits, let bandwidth = transports[transport].bandwidth else { return }
        bandwidths[bandwidth].setLimits(limits, at: now)
        allocate(transport)
    }

    // MARK: What the client says

    mutating func feedbackReceived(_ feedback: TransportWideFeedback, on transport: Slot<MediaTransport>) {
        guard let bandwidth = transports[transport].bandwidth else { return }
        let isFirst = !bandwidths[bandwidth].hasFeedback
        bandwidths[bandwidth].feedbackReceived(feedback, at: now)
        if isFirst || bandwidths[bandwidth].isUrgent { allocate(transport) }
    }

    mutating func estimateReceived(_ bitrate: UInt64, on transport: Slot<MediaTransport>) {
        guard let bandwidth = transports[transport].bandwidth else { return }
        let isFirst = !bandwidths[bandwidth].hasFeedback
        bandwidths[bandwidth].estimateReceived(bitrate, at: now)
        if isFirst || bandwidths[bandwidth].isUrgent { allocate(transport) }
    }

    /// More waits at this end than the client's path takes.
    mutating func pathDrained(_ bitrate: UInt64, on transport: Slot<MediaTransport>) {
        guard let bandwidth = transports[transport].bandwidth else { return }
        bandwidths[bandwidth].drained(bitrate, at: now)
        if bandwidths[bandwidth].isUrgent { allocate(transport) }
    }

    /// The client is reached by another way from now on.
    func routeChanged(of transport: Slot<MediaTransport>, to remote: IPAddressPort) {
        guard let bandwidth = transports[transport].bandwidth else { return }
        bandwidths[bandwidth].routeChanged(isIPv6: remote.family == .ipv6, at: now)
    }

    /// What a consumer's source sends is known from now on: its share is decided at once, not at the next turn.
    mutating func pictureBegan(_ consumer: Slot<ShardConsumer>) {
        let transport = consumers[consumer].transport
        guard let bandwidth = transports[transport].bandwidth,
            bandwidths[bandwidth].allocator.share(of: consumer)?.hasChoice == false
        else { return }
        bandwidths[bandwidth].allocateSoon(at: now)
        rescheduleTimer(of: transport)
    }

    mutating func bandwidthDeadlineReached(on transport: Slot<MediaTransport>) {
        guard let bandwidth = transports[transport].bandwidth else { return }
        if let filler = bandwidths[bandwidth].advance(to: now), filler > 0 { sendFiller(filler, on: transport) }
        if bandwidths[bandwidth].nextAllocation <= now || bandwidths[bandwidth].isUrgent { allocate(transport) }
    }

    // MARK: Recordings

    mutating func recordBandwidth(of key: TransportKey, _ isOn: Bool) {
        guard let transport = transportsByKey[key.rawValue], let bandwidth = transports[transport].bandwidth else {
            return ignored()
        }
        bandwidths[bandwidth].stopRecording()
        guard isOn else { return }
        let recorded = bandwidths.slots.count { bandwidths[$0].recorder != nil }
        guard recorded < MediaHandle.recordingLimit else { return ignored() }
        bandwidths[bandwidth].startRecording(at: now)
    }

    // MARK: What consumers get

    /// Shares out what a transport's network carries, and has its consumers send that.
    mutating func allocate(_ transport: Slot<MediaTransport>) {
        guard let bandwidth = transports[transport].bandwidth else { return }
        // The shard's own array, taken for as long: every transport decides several times a second, and none allocates.
        var ladders: [LayerLadder] = []
        swap(&ladders, &self.ladders)
        for share in bandwidths[bandwidth].allocator.shares {
            let consumer = share.consumer
            ladders.append(
                consumers[consumer].wantsMedia
                    ? consumers[consumer].stream.makeLadder(&feeds[consumers[consumer].feed], at: now) : LayerLadder())
        }
        bandwidths[bandwidth].allocate(among: &ladders, at: now)
        ladders.removeAll(keepingCapacity: true)
        swap(&ladders, &self.ladders)
        let isBound = bandwidths[bandwidth].isBound(at: now)
        for index in bandwidths[bandwidth].allocator.shares.indices {
            let share = bandwidths[bandwidth].allocator.shares[index]
            obey(share, isBound: isBound)
            guard isBound else { continue }
            bandwidths[bandwidth].history.observe(
                consumers[share.consumer].key, share.target, share.reason, cost: share.cost, nextStep: share.nextStep,
                at: now)
        }
        if let report = bandwidths[bandwidth].takeReport(at: now) {
            // A sample: the next one says the same.
            _ = transports[transport].events.appendSample(.bandwidthReported(transports[transport].key, report))
        }
        rescheduleTimer(of: transport)
    }

    private mutating func obey(_ share: LayerAllocator.Share, isBound: Bool) {
        let consumer = share.consumer
        // Of a source that has shown nothing yet, the least comes first.
        let unknown = isBound ? LayerPosition(spatial: 0, temporal: LayerPosition.highest.temporal) : .highest
        let isPaused = share.target == nil && share.hasChoice
        let allowed = isBound || isPaused ? share.target ?? unknown : .highest
        let isChanged = consumers[consumer].stream.allow(allowed) || consumers[consumer].isPausedForBudget != isPaused
        guard isChanged else { return }
        if consumers[consumer].isPausedForBudget != isPaused {
            consumers[consumer].isPausedForBudget = isPaused
            updateFlow(consumer)
        }
        updateSelection(consumer)
    }

    // MARK: Probes

    /// Sends so many bytes that nobody asked for: padding, or where packets get lost what was sent a moment ago. Where none are
    /// lost a repeated picture would come twice: Chromium puts it together again, and gives it to who transforms its pictures.
    private mutating func sendFiller(_ bytes: Int, on transport: Slot<MediaTransport>) {
        // What more is sent only waits longer.
        guard !isHeldBack(transport) else { return }
        var left = bytes
        let isLosing = transports[transport].bandwidth.map { bandwidths[$0].isLosing } ?? false
        for consumer in transports[transport].consumers
        where left > 0 && isLosing && consumers[consumer].stream.kind == .video && consumers[consumer].stream.hasBegun {
            repeatNewest(of: consumer, &left)
        }
        for consumer in transports[transport].consumers where left > 0 && consumers[consumer].stream.kind == .video {
            while left > 0, let length = sendPadding(of: consumer) { left -= length }
        }
    }

    /// The most packets that are repeated at a time.
    private static let mostRepeated: UInt64 = 32

    private mutating func repeatNewest(of consumer: Slot<ShardConsumer>, _ left: inout Int) {
        guard let newest = consumers[consumer].stream.sent.highestExtended else { return }
        let feed = consumers[consumer].feed
        var index = newest
        while left > 0, newest - index < Self.mostRepeated, index > 0 {
            defer { index -= 1 }
            guard let original = consumers[consumer].stream.original(ofIndex: index),
                Int(original.source) < feeds[feed].cache.count,
                let found = unsafe feeds[feed].cache.find(original.extended, of: Int(original.source), at: now),
                let outgoing = unsafe consumers[consumer].stream.repeatUnasked(
                    index, found.packet, hadMarker: found.template[1] & 0x80 != 0),
                unsafe seal(outgoing, of: found.packet, template: found.template, payload: found.payload, for: consumer)
            else { continue }
            let length = unsafe found.template.count + found.payload.count
            left -= length
            transports[consumers[consumer].transport].traffic.probationSent &+= UInt64(length)
        }
    }

    /// - Returns: how much was sent; `nil` if this consumer can send none.
    private mutating func sendPadding(of consumer: Slot<ShardConsumer>) -> Int? {
        let feed = consumers[consumer].feed
        // Any packet's header will do.
        for encoding in 0..<feeds[feed].cache.count {
            guard let newest = feeds[feed].cache.newest(of: encoding),
                let found = unsafe feeds[feed].cache.find(newest, of: encoding, at: now)
            else { continue }
            guard let outgoing = consumers[consumer].stream.pad(),
                unsafe seal(outgoing, of: found.packet, template: found.template, payload: found.payload, for: consumer)
            else { return nil }
            let length = unsafe found.template.count + Int(outgoing.paddingLength)
            transports[consumers[consumer].transport].traffic.probationSent &+= UInt64(length)
            return length
        }
        return nil
    }
}

extension SentKind {
    @inline(__always)
    init(_ outgoing: OutgoingPacket, _ kind: MediaKind) {
        if outgoing.originalSequence != nil {
            self = .retransmission
        } else if outgoing.isPaddingOnly {
            self = .padding
        } else {
            self = kind == .audio ? .audio : .video
        }
    }
}
