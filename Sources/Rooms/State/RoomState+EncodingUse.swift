import RoundhouseMedia

extension RoomState {
    /// A consumer has come, or asks for something else than before.
    mutating func recountUse(by id: ConsumerID) {
        guard let consumer = consumers[id], let producer = producers[consumer.producerID], let use = producer.use else {
            return
        }
        let wanted = consumer.preferredLayers.map { min(Int(producer.clamped($0).spatial), use.highest) }
        let used = consumer.isPaused ? nil : wanted ?? use.highest
        guard used != consumer.usedEncoding else { return }
        consumers[id]?.usedEncoding = used
        moveUse(of: producer.id, from: consumer.usedEncoding, to: used)
    }

    /// A consumer has gone, or is pointed at another producer.
    mutating func forgetUse(by consumer: Consumer) {
        guard let used = consumer.usedEncoding else { return }
        moveUse(of: consumer.producerID, from: used, to: nil)
    }

    private mutating func moveUse(of id: ProducerID, from old: Int?, to new: Int?) {
        guard producers[id]?.use != nil else { return }
        producers[id]?.use?.move(from: old, to: new)
        producersInOtherUse.insert(id)
    }

    /// What clients are to be notified of, once for everything that has changed.
    mutating func takeUseNotices() -> [RoomAction] {
        guard !producersInOtherUse.isEmpty else { return [] }
        let changed = producersInOtherUse.sorted { $0.rawValue < $1.rawValue }
        producersInOtherUse.removeAll(keepingCapacity: true)
        return changed.compactMap { id in
            guard let producer = producers[id], let peer = peers[producer.peerID], peer.getsEncodingUse,
                let count = producers[id]?.use?.takeNews()
            else { return nil }
            return .notify(peer.session, .producerEncodingsUsed(id, count: count))
        }
    }
}
