// Safe: pointers to producers, streams and consumers are the shard's own (`Shard+Lifetimes`).

/// What rooms are told of streams besides their packets: scores and sound.
extension Shard {
    /// Tells the room the scores of all of a producer's streams, and the shards that choose between encodings.
    mutating func producerScoreChanged(_ producer: UnsafeMutablePointer<ShardProducer>) {
        var scores: [EncodingScore] = []
        for case .some(let stream) in producer.pointee.streams {
            guard let score = stream.pointee.score.value else { continue }
            if stream.pointee.publishScore(score) { encodingAdvanced(stream) }
            let encoding = stream.pointee.encoding
            scores.append(
                EncodingScore(
                    encoding: encoding, ssrc: stream.pointee.received.ssrc,
                    rid: producer.pointee.settings.encodings[encoding].rid, score: score))
        }
        producer.pointee.transport.pointee.events.append(.producerScoreChanged(producer.pointee.key, scores))
    }

    /// Takes an interval of reception into the score, when a report about it is made.
    mutating func updateScore(_ stream: UnsafeMutablePointer<IncomingStream>) {
        let counters = stream.pointee.received.scoreCounters
        let isChanged = stream.pointee.score.reported(
            packets: counters.packets, lost: counters.lost, repaired: counters.repaired,
            retransmitted: counters.retransmitted)
        if isChanged { producerScoreChanged(stream.pointee.producer) }
    }

    func consumerScoreChanged(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        consumer.pointee.transport.pointee.events.append(
            .consumerScoreChanged(consumer.pointee.key, score: consumer.pointee.stream.sent.score))
    }

    /// A consumer lost so much of what it was sent: its producer's shard has to know, because a sender of Opus with
    /// in-band FEC protects its packets for the worst of its receivers.
    func consumerLossReported(_ consumer: UnsafeMutablePointer<ShardConsumer>, fraction: UInt8) {
        guard consumer.pointee.stream.kind == .audio, fraction > 0 else { return }
        let key = consumer.pointee.feed.pointee.key
        guard key.shard != index else { return producerLossReported(key.rawValue, fraction: fraction) }
        send(.consumerLoss(producer: key.rawValue, fraction: fraction), to: key.shard)
    }

    /// Some shard's consumer lost packets of a producer that lives here.
    func producerLossReported(_ key: UInt64, fraction: UInt8) {
        producersByKey[key]?.pointee.consumerLoss.add(fraction)
    }

    /// The least time between two orientations of one producer that rooms are told: nobody turns a telephone faster.
    private static let orientationInterval = MediaDuration.milliseconds(100)

    /// A packet says how the picture is to be turned; the room is told where that is news.
    func orientationReceived(_ encoded: UInt8, of producer: UnsafeMutablePointer<ShardProducer>) {
        if let known = producer.pointee.orientation {
            guard known.encoded != encoded, now - known.at >= Self.orientationInterval else { return }
        }
        let event = MediaEvent.videoOrientationChanged(
            producer.pointee.key, VideoOrientation(encoded: encoded))
        // What is not taken now is told with a later packet.
        guard producer.pointee.transport.pointee.events.appendSample(event) else { return }
        producer.pointee.orientation = (encoded, now)
    }

    // MARK: Sound

    /// A packet with an audio level arrived.
    mutating func audioLevelReceived(_ level: AudioLevel, of stream: UnsafeMutablePointer<IncomingStream>) {
        stream.pointee.levels.add(level, at: now)
        let transport = stream.pointee.producer.pointee.transport
        guard !transport.pointee.hasAudioLevels else { return }
        transport.pointee.hasAudioLevels = true
        withAudioLevels.append(transport.pointee.slot)
        if audioLevelDeadline == nil { audioLevelDeadline = now + AudioLevelBatch.interval }
    }

    /// Tells each room what was heard since the last batch: one event for all of its transports here, because waking a
    /// room costs more than everything else about a level.
    mutating func sendAudioLevels() {
        audioLevelDeadline = nil
        var batches: [ObjectIdentifier: (queue: EventQueue, reports: [AudioLevelReport])] = [:]
        for slot in withAudioLevels {
            // Closed meanwhile, or another's.
            guard let transport = transports[slot], transport.pointee.hasAudioLevels else { continue }
            transport.pointee.hasAudioLevels = false
            let queue = transport.pointee.events
            for producer in transport.pointee.producers {
                for case .some(let stream) in producer.pointee.streams {
                    guard let report = stream.pointee.levels.take(for: producer.pointee.key) else { continue }
                    batches[ObjectIdentifier(queue), default: (queue, [])].reports.append(report)
                }
            }
        }
        withAudioLevels.removeAll(keepingCapacity: true)
        for batch in batches.values { _ = batch.queue.appendSample(.audioLevels(batch.reports)) }
    }
}
