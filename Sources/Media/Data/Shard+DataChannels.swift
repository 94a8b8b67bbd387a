/// Channels that are opened in band (RFC 8832): each becomes a data producer, and each data consumer one.
extension Shard {
    /// How long a new data producer's messages wait. Its consumers are opened meanwhile, on other shards too: clients send with
    /// their channel, and what came before the consumers would reach nobody.
    static let producerHold = MediaDuration.milliseconds(100)

    mutating func takeChannelEvents(_ association: Slot<DataAssociation>) {
        while let event = data.associations[association].channels?.pollEvent() {
            // What closes a channel is said by the association, and messages never come this way.
            guard case .opened(let stream, let open) = event else { continue }
            let transport = data.associations[association].transport
            report(.channelOpened(OpenedDataChannel(open, on: stream, of: transports[transport].key)), on: association)
        }
    }

    /// The association has ended or begun again, and its channels with it.
    mutating func channelsEnded(_ association: Slot<DataAssociation>) {
        guard data.associations[association].channels != nil else { return }
        flush(association, isDue: { _ in true })
        closedByClient([], of: association)
    }

    /// Keeps a message for a data producer that is yet to come.
    mutating func hold(_ message: DataMessage, on stream: UInt16, of association: Slot<DataAssociation>) {
        guard data.associations[association].channels?.isOpenedByPeer(stream) == true else {
            return counters.add(.dataDroppedNoProducer)
        }
        guard !data.associations[association].early.append(message, on: stream) else { return }
        guard let producer = data.associations[association].producers[stream] else {
            return counters.add(.dataDroppedNoProducer)
        }
        flush(association) { _ in true }
        received(message, by: producer, of: association)
    }

    /// A data producer has come: what its client has sent waits a little longer.
    mutating func holdMessages(of producer: Slot<ShardDataProducer>, on association: Slot<DataAssociation>) {
        guard data.associations[association].channels != nil else { return }
        let deadline = now + Self.producerHold
        data.producers[producer].heldUntil = deadline
        data.associations[association].flushesAt = earliest(data.associations[association].flushesAt, deadline)
        rescheduleTimer(of: data.associations[association].transport)
    }

    mutating func flushDue(_ association: Slot<DataAssociation>) {
        let now = now
        flush(association) { $0 <= now }
    }

    /// Lets go what producers hold; one whose client has closed its channel meanwhile is over then.
    private mutating func flush(_ association: Slot<DataAssociation>, isDue: (MediaInstant) -> Bool) {
        data.associations[association].flushesAt = nil
        for (stream, producer) in data.associations[association].producers.sorted(by: { $0.key < $1.key }) {
            guard let deadline = data.producers[producer].heldUntil else { continue }
            guard isDue(deadline) else {
                data.associations[association].flushesAt = earliest(
                    data.associations[association].flushesAt, deadline)
                continue
            }
            data.producers[producer].heldUntil = nil
            for message in data.associations[association].early.take(stream) {
                received(message, by: producer, of: association)
            }
            if data.associations[association].channels?.isClosedByPeer(stream) == true {
                closedByClient([stream], of: association)
            }
        }
        boundHeldBytes(of: association)
    }

    /// Opens a data consumer's channel; one that cannot be is reported as closed.
    mutating func openChannel(
        _ settings: DataConsumerSettings, for key: DataConsumerKey, on association: Slot<DataAssociation>
    ) {
        guard data.associations[association].channels != nil else { return }
        if !data.associations[association].openChannel(settings, at: now) {
            report(.consumerClosedByClient(key), on: association)
        }
        dataAdvanced(association)
    }

    mutating func closeDataChannel(_ stream: UInt16, of key: TransportKey) {
        guard let transport = transportsByKey[key.rawValue], let association = dataAssociation(of: transport),
            data.associations[association].channels?.isOpenedByPeer(stream) == true,
            data.associations[association].producers[stream] == nil
        else { return ignored() }
        _ = data.associations[association].early.take(stream)
        _ = data.associations[association].close(stream, at: now)
        dataAdvanced(association)
    }
}
