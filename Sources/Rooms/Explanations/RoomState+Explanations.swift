import RoundhouseMedia

extension RoomState {
    /// The transports that have to be asked: its own, and those of whose producers it consumes, where what they make is counted.
    func transportsExplaining(_ id: PeerID) -> [TransportKey]? {
        guard let peer = peers[id] else { return nil }
        let sources = peer.consumerIDs.compactMap { consumers[$0] }.compactMap { producers[$0.producerID]?.transportID }
        return Set(peer.transportIDs + sources).compactMap { transports[$0]?.key }
    }

    /// - Parameter timestamp: now, in milliseconds since 1970.
    func explanation(
        of id: PeerID, _ collected: CollectedStatistics, ago: MediaDuration, withHistory: Bool, timestamp: Int64
    ) -> PeerExplanation? {
        guard let peer = peers[id] else { return nil }
        let receiving = peer.transportIDs.compactMap { transports[$0] }.filter {
            $0.isConsuming || !$0.consumerIDs.isEmpty
        }
        return PeerExplanation(
            room: self.id, peer: peer.description, time: timestamp - ago.milliseconds,
            isComplete: collected.isComplete,
            transports: receiving.map {
                explanation(of: $0, collected, ago: ago, withHistory: withHistory, timestamp: timestamp)
            })
    }

    private func explanation(
        of transport: Transport, _ collected: CollectedStatistics, ago: MediaDuration, withHistory: Bool,
        timestamp: Int64
    ) -> TransportExplanation {
        let statistics = collected.transports[transport.key]
        let now = statistics?.takenAt ?? MediaInstant(nanoseconds: 0)
        let moment = now + (.zero - ago)
        let history = statistics?.history
        let sample = history?.sample(at: moment)
        var explanation = TransportExplanation(id: transport.id, sample: sample, consumers: [])
        explanation.isWatched = configuration.outgoingLimits != nil && transport.plain == nil
        explanation.hasHistory = history != nil
        explanation.consumers = transport.consumerIDs.compactMap { consumers[$0] }.map { consumer in
            let past = consumer.key.flatMap { history?.change(of: $0, at: moment) }
            let sent = statistics?.consumers.first { $0.key == consumer.key }
            let isNow = ago == .zero
            return self.explanation(
                of: consumer, sent, past: isNow ? nil : past, isNow: isNow, sample,
                made: encodingsMade(for: consumer, collected))
        }
        guard withHistory, let history else { return explanation }
        func time(_ instant: MediaInstant) -> Int64 { timestamp - (now - instant).milliseconds }
        explanation.history = history.samples.map { (time($0.at), $0) }
        explanation.changes = history.changes.map { (time($0.at), consumerIDs[$0.consumer], $0) }
        return explanation
    }

    private func explanation(
        of consumer: Consumer, _ sent: ConsumerStatistics?, past: LayerChange?, isNow: Bool, _ sample: BandwidthSample?,
        made: Int?
    ) -> ConsumerExplanation {
        let producer = producers[consumer.producerID]
        let sender = producer.flatMap { peers[$0.peerID] }?.description.displayName ?? ""
        var source: String?
        if case .object(let data)? = producer?.appData, case .string(let text)? = data["source"] { source = text }
        var explanation = ConsumerExplanation(
            id: consumer.id, producerID: consumer.producerID, sender: sender, source: source, kind: consumer.kind,
            layers: nil, bitrate: 0, limit: .unknown)
        if isNow {
            explanation.layers = consumer.type == .simple ? nil : consumer.currentLayers
            explanation.bitrate = sent?.bitrate ?? 0
            explanation.limit = limit(
                of: consumer, producer, sent?.reason, nextStep: sent?.nextStep ?? 0, sample, made: made)
        } else if consumer.kind == .audio {
            explanation.limit = .sound
        } else if let past {
            explanation.layers = consumer.type == .simple ? nil : past.layers
            explanation.bitrate = UInt64(past.cost) * 1000
            explanation.limit =
                limit(
                    past.reason, nextStep: UInt64(past.nextStep) * 1000, sample) ?? .everything
        }
        return explanation
    }

    private func limit(
        of consumer: Consumer, _ producer: Producer?, _ reason: LayerReason?, nextStep: UInt64,
        _ sample: BandwidthSample?,
        made: Int?
    ) -> ConsumerExplanation.Limit {
        if consumer.isPaused { return .pausedByViewer }
        if producer?.isPaused ?? false { return .pausedBySender }
        guard case .accepted = consumer.phase else { return .notAccepted }
        if consumer.kind == .audio { return .sound }
        guard let reason, sample != nil else { return .unbound }
        if let limit = limit(reason, nextStep: nextStep, sample) { return limit }
        // It has all it wants: was it the viewer or the sender that wanted no more?
        if let producer, let wanted = consumer.preferredLayers, consumer.type != .simple {
            let highest = producer.clamped(PreferredLayers(spatialLayer: 7, temporalLayer: nil))
            let asked = producer.clamped(wanted)
            if asked.spatial < highest.spatial || asked.temporal < highest.temporal,
                asked.spatial <= consumer.currentLayers?.spatial ?? 0
            {
                return .viewer(asked)
            }
        }
        if let producer, let made, producer.consumable.encodings.count > 1,
            made < producer.consumable.encodings.count
        {
            return .sender(made: made, announced: producer.consumable.encodings.count)
        }
        return .everything
    }

    /// - Returns: `nil` if all that is wanted is sent.
    private func limit(
        _ reason: LayerReason, nextStep: UInt64, _ sample: BandwidthSample?
    ) -> ConsumerExplanation.Limit? {
        let estimate = UInt64(sample?.estimate ?? 0) * 1000
        let allocated = UInt64(sample?.allocated ?? 0) * 1000
        switch reason {
        case .wanted: return nil
        case .budget where allocated + nextStep <= estimate: return .untried(nextStep: nextStep)
        case .budget: return .budget(nextStep: nextStep, estimate: estimate)
        case .hold: return .hold(nextStep: nextStep)
        case .turn: return .turn(nextStep: nextStep)
        case .pausedForBudget: return .nothingFits(least: nextStep, estimate: estimate)
        case .sourceSilent: return .silent
        }
    }

    /// How many encodings of its source have come lately; `nil` if that is not known.
    private func encodingsMade(for consumer: Consumer, _ collected: CollectedStatistics) -> Int? {
        guard let producer = producers[consumer.producerID], let transport = transports[producer.transportID],
            let statistics = collected.transports[transport.key]?.producers.first(where: { $0.key == producer.key })
        else { return nil }
        return statistics.streams.filter { $0.bitrate > 0 }.count
    }
}
