import RoundhouseMedia

extension RoomState {
    /// A producer's streams are received well or badly: its owner and its consumers are notified.
    mutating func producerScoreChanged(_ key: ProducerKey, _ scores: [EncodingScore]) -> [RoomAction] {
        // A producer that was closed meanwhile is a legitimate race.
        guard let id = producerIDs[key], let producer = producers[id] else { return [] }
        let changed = scores.sorted { $0.encoding < $1.encoding }.map {
            ProducerScore(
                encodingIndex: $0.encoding, ssrc: $0.ssrc.rawValue, rid: $0.rid, score: Int(min($0.score, 10)))
        }
        guard changed != producer.scores else { return [] }
        producers[id]?.scores = changed
        var actions: [RoomAction] = []
        if let owner = peers[producer.peerID] { actions.append(.notify(owner.session, .producerScore(id, changed))) }
        for consumerID in producer.consumerIDs { actions += scoreUpdates(consumerID) }
        return actions
    }

    /// A consumer's own stream arrives well or badly.
    mutating func consumerScoreChanged(_ key: ConsumerKey, _ score: UInt8) -> [RoomAction] {
        guard let id = consumerIDs[key] else { return [] }
        consumers[id]?.ownScore = Int(min(score, 10))
        return scoreUpdates(id)
    }

    /// Notifies a client of a consumer's score, if it changed.
    mutating func scoreUpdates(_ id: ConsumerID) -> [RoomAction] {
        guard let consumer = consumers[id], case .accepted = consumer.phase, let peer = peers[consumer.peerID],
            let producer = producers[consumer.producerID]
        else { return [] }
        let score = score(of: consumer, producer)
        guard score != consumer.reportedScore else { return [] }
        consumers[id]?.reportedScore = score
        return [.notify(peer.session, .consumerScore(id, score))]
    }

    private func score(of consumer: Consumer, _ producer: Producer) -> ConsumerScore {
        // Of what nothing is known yet the best is assumed, as mediasoup does of new streams.
        let isKnown = !producer.scores.isEmpty
        var all = producer.consumable.encodings.map { _ in isKnown ? 0 : 10 }
        for entry in producer.scores where all.indices.contains(entry.encodingIndex) {
            all[entry.encodingIndex] = entry.score
        }
        let received: Int? = all.count > 1 ? consumer.currentLayers.map { Int($0.spatial) } : 0
        let ofReceived = received.flatMap { all.indices.contains($0) ? all[$0] : nil }
        return ConsumerScore(
            score: consumer.ownScore, producerScore: ofReceived ?? (isKnown ? 0 : 10), producerScores: all)
    }
}
