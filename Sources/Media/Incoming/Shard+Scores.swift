/// What is reported to rooms of streams besides their packets: scores and audio levels.
extension Shard {
    /// Tells the room the scores of all of a producer's streams, and the shards that choose between encodings.
    mutating func producerScoreChanged(_ producer: Slot<ShardProducer>) {
        var scores: [EncodingScore] = []
        for case .some(let stream) in producers[producer].streams {
            guard let score = streams[stream].score.value else { continue }
            if streams[stream].publishScore(score) { encodingAdvanced(stream) }
            let encoding = streams[stream].encoding
            scores.append(
                EncodingScore(
                    encoding: encoding, ssrc: streams[stream].received.ssrc,
                    rid: producers[producer].settings.encodings[encoding].rid, score: score))
        }
        transports[producers[producer].transport].events.append(.producerScoreChanged(producers[producer].key, scores))
    }

    /// Takes an interval of reception into the score, when a report about it is made.
    mutating func updateScore(_ stream: Slot<IncomingStream>) {
        let counters = streams[stream].received.scoreCounters
        let isChanged = streams[stream].score.reported(
            packets: counters.packets, lost: counters.lost, repaired: counters.repaired,
            retransmitted: counters.retransmitted)
        if isChanged { producerScoreChanged(streams[stream].producer) }
    }

    func consumerScoreChanged(_ consumer: Slot<ShardConsumer>) {
        transports[consumers[consumer].transport].events.append(
            .consumerScoreChanged(consumers[consumer].key, score: consumers[consumer].stream.sent.score))
    }

    /// A consumer lost so much of what it was sent: its producer's shard has to know, because a sender of Opus with
    /// in-band FEC protects its packets for the worst of its receivers.
    func consumerLossReported(_ consumer: Slot<ShardConsumer>, fraction: UInt8) {
        guard consumers[consumer].stream.kind == .audio, fraction > 0 else { return }
        let key = feeds[consumers[consumer].feed].key
        guard key.shard != index else { return producerLossReported(key.rawValue, fraction: fraction) }
        send(.consumerLoss(producer: key.rawValue, fraction: fraction), to: key.shard)
    }

    /// Some shard's consumer lost packets of a producer that lives here.
    func producerLossReported(_ key: UInt64, fraction: UInt8) {
        guard let producer = producersByKey[key] else { return }
        producers[producer].consumerLoss.add(fraction)
    }

    /// The least time between two reports of one producer's orientation: nobody turns a telephone faster.
    private static let orientationInterval = MediaDuration.milliseconds(100)

    /// A packet carries the video orientation; a change is reported to the room.
    func orientationReceived(_ encoded: UInt8, of producer: Slot<ShardProducer>) {
        if let known = producers[producer].orientation {
            guard known.encoded != encoded, now - known.at >= Self.orientationInterval else { return }
        }
        let event = MediaEvent.videoOrientationChanged(
            producers[producer].key, VideoOrientation(encoded: encoded))
        // What is not taken now is reported with a later packet.
        guard transports[producers[producer].transport].events.appendSample(event) else { return }
        producers[producer].orientation = (encoded, now)
    }

    // MARK: Sound

    /// A packet with an audio level arrived.
    mutating func audioLevelReceived(_ level: AudioLevel, of stream: Slot<IncomingStream>) {
        streams[stream].levels.add(level, at: now)
        let transport = producers[streams[stream].producer].transport
        guard !transports[transport].hasAudioLevels else { return }
        transports[transport].hasAudioLevels = true
        withAudioLevels.append(transport)
        if audioLevelDeadline == nil { audioLevelDeadline = now + AudioLevelBatch.interval }
    }

    /// Tells each room what was heard since the last batch: one event for all of its transports here, because waking a
    /// room costs more than everything else about a level.
    mutating func sendAudioLevels() {
        audioLevelDeadline = nil
        var batches: [ObjectIdentifier: (queue: EventQueue, reports: [AudioLevelReport])] = [:]
        for transport in withAudioLevels where transports.contains(transport) {
            transports[transport].hasAudioLevels = false
            let queue = transports[transport].events
            for producer in transports[transport].producers {
                for case .some(let stream) in producers[producer].streams {
                    guard let report = streams[stream].levels.take(for: producers[producer].key) else { continue }
                    batches[ObjectIdentifier(queue), default: (queue, [])].reports.append(report)
                }
            }
        }
        withAudioLevels.removeAll(keepingCapacity: true)
        for batch in batches.values { _ = batch.queue.appendSample(.audioLevels(batch.reports)) }
    }
}
