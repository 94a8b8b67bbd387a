// Safe: the secret of an association's cookies is hashed while its array is held.

/// Opens and closes data producers and consumers.
extension Shard {
    // MARK: Producers

    mutating func openDataProducer(
        _ key: DataProducerKey, on transportKey: TransportKey, _ settings: DataProducerSettings
    ) {
        guard let transport = transportsByKey[transportKey.rawValue], data.producersByKey[key.rawValue] == nil else {
            return ignored()
        }
        guard let association = dataAssociation(of: transport) else {
            return fail(transportKey, .invalidSetting, "the transport has no SCTP")
        }
        guard data.associations[association].producers[settings.stream] == nil else {
            return fail(
                transportKey, .streamConflict, "stream \(settings.stream) is in use by a data producer of the transport"
            )
        }
        let producer = data.producers.insert(
            ShardDataProducer(
                key: key, source: .init(association: association, stream: settings.stream),
                isPaused: settings.isPaused))
        data.producersByKey[key.rawValue] = producer
        data.associations[association].producers[settings.stream] = producer
        holdMessages(of: producer, on: association)
        startDataIfPossible(association)
    }

    /// One whose messages come from its room.
    mutating func openDirectDataProducer(_ key: DataProducerKey) {
        guard data.producersByKey[key.rawValue] == nil else { return ignored() }
        data.producersByKey[key.rawValue] = data.producers.insert(
            ShardDataProducer(key: key, source: nil, isPaused: false))
    }

    mutating func closeDataProducer(_ producer: Slot<ShardDataProducer>) {
        data.producersByKey[data.producers[producer].key.rawValue] = nil
        if let source = data.producers[producer].source {
            data.associations[source.association].producers[source.stream] = nil
            resetStream(source.stream, of: source.association)
        }
        data.producers.remove(producer)
    }

    /// Ends what we send on a stream, which is how a channel is closed (RFC 8831 §6.7), unless it has another use.
    private mutating func resetStream(_ stream: UInt16, of association: Slot<DataAssociation>) {
        guard data.associations[association].producers[stream] == nil,
            data.associations[association].consumers[stream] == nil
        else { return }
        _ = data.associations[association].early.take(stream)
        if data.associations[association].close(stream, at: now) { dataAdvanced(association) }
    }

    // MARK: Consumers

    mutating func openDataConsumer(
        _ key: DataConsumerKey, on transportKey: TransportKey, of producer: DataProducerKey,
        _ settings: DataConsumerSettings
    ) {
        guard let transport = transportsByKey[transportKey.rawValue], data.consumersByKey[key.rawValue] == nil else {
            return ignored()
        }
        guard let association = dataAssociation(of: transport) else {
            return fail(transportKey, .invalidSetting, "the transport has no SCTP")
        }
        guard data.associations[association].consumers[settings.stream] == nil else {
            return fail(
                transportKey, .streamConflict, "stream \(settings.stream) is in use by a data consumer of the transport"
            )
        }
        let consumer = insert(
            ShardDataConsumer(
                key: key, producer: producer, target: .stream(association, settings),
                subchannels: settings.subchannels, isPaused: settings.isPaused))
        data.associations[association].consumers[settings.stream] = consumer
        if settings.isHeld {
            data.consumers[consumer].isHeld = true
            data.associations[association].sctp.hold(settings.stream)
        }
        openChannel(settings, for: key, on: association)
        startDataIfPossible(association)
    }

    /// Its client has a channel: what waited is sent.
    mutating func releaseDataConsumer(_ key: DataConsumerKey) {
        guard let consumer = data.consumersByKey[key.rawValue], data.consumers[consumer].isHeld,
            case .stream(let association, let settings) = data.consumers[consumer].target
        else { return ignored() }
        data.consumers[consumer].isHeld = false
        data.associations[association].sctp.release(settings.stream)
        dataAdvanced(association)
    }

    /// One whose messages go to its room.
    mutating func openDirectDataConsumer(
        _ key: DataConsumerKey, of producer: DataProducerKey, largestMessage: Int, _ events: EventQueue
    ) {
        guard data.consumersByKey[key.rawValue] == nil else { return ignored() }
        _ = insert(
            ShardDataConsumer(key: key, producer: producer, target: .room(events, largest: largestMessage)))
    }

    private mutating func insert(_ consumer: ShardDataConsumer) -> Slot<ShardDataConsumer> {
        let (key, producer) = (consumer.key, consumer.producer)
        let slot = data.consumers.insert(consumer)
        data.consumersByKey[key.rawValue] = slot
        let isFirst = data.feeds[producer.rawValue] == nil
        data.feeds[producer.rawValue, default: []].append(slot)
        if isFirst, producer.shard != index,
            !links.send(.subscribeShardToData(index, to: producer), to: producer.shard)
        {
            counters.add(.ringFull)
        }
        return slot
    }

    mutating func closeDataConsumer(_ consumer: Slot<ShardDataConsumer>) {
        let (key, producer) = (data.consumers[consumer].key, data.consumers[consumer].producer)
        data.consumersByKey[key.rawValue] = nil
        data.feeds[producer.rawValue]?.removeAll { $0 == consumer }
        if data.feeds[producer.rawValue]?.isEmpty == true {
            data.feeds[producer.rawValue] = nil
            if producer.shard != index {
                _ = links.send(.unsubscribeShardFromData(index, from: producer), to: producer.shard)
            }
        }
        if case .stream(let association, let settings) = data.consumers[consumer].target {
            // What waits leaves first, as far as the path takes it: a reset drops what has not begun to be sent.
            if data.associations[association].sctp.bufferedAmount(on: settings.stream) > 0 {
                _ = transmitData(association, atMost: ShardData.packetsPerTurn)
            }
            data.associations[association].consumers[settings.stream] = nil
            resetStream(settings.stream, of: association)
        }
        data.consumers.remove(consumer)
    }

    mutating func setDataSubscription(of shard: Int, to key: DataProducerKey, _ isSubscribed: Bool) {
        guard let producer = data.producersByKey[key.rawValue] else { return ignored() }
        let bit: UInt64 = 1 << UInt64(shard)
        if isSubscribed {
            data.producers[producer].subscribedShards |= bit
        } else {
            data.producers[producer].subscribedShards &= ~bit
        }
    }

    mutating func setBufferedAmountLowThreshold(_ bytes: UInt32, of key: DataConsumerKey) {
        guard let consumer = data.consumersByKey[key.rawValue],
            case .stream(let association, let settings) = data.consumers[consumer].target
        else { return ignored() }
        data.associations[association].sctp.setBufferedAmountLowThreshold(bytes, of: settings.stream)
        let buffered = data.associations[association].sctp.bufferedAmount(on: settings.stream)
        if buffered <= Int(bytes) { report(.bufferedAmountLow(key, bytes: buffered), on: association) }
    }

    // MARK: Associations

    /// A transport's association, made when it is first needed.
    /// - Returns: `nil` where there is none.
    mutating func dataAssociation(of transport: Slot<MediaTransport>) -> Slot<DataAssociation>? {
        guard case .webRTC(let webRTC) = transports[transport].association else { return nil }
        if let known = webRTCAssociations[webRTC].data { return known }
        guard let settings = webRTCAssociations[webRTC].dataSettings else { return nil }
        let secret = [random.next(), random.next(), random.next(), random.next()]
        let key = unsafe secret.withUnsafeBytes { unsafe HMACSHA1Key($0) }
        let association = data.associations.insert(
            DataAssociation(
                transport: transport, settings: settings,
                sctp: SCTPAssociation(settings: settings.association, secret: key)))
        webRTCAssociations[webRTC].data = association
        return association
    }

    /// Begins the handshake once DTLS is there and a stream is used: a client that never opens a channel is asked nothing.
    mutating func startDataIfPossible(_ association: Slot<DataAssociation>) {
        guard case .webRTC(let webRTC) = transports[data.associations[association].transport].association,
            webRTCAssociations[webRTC].dtlsState == .connected, data.associations[association].isUsed,
            data.associations[association].state == .new
        else { return }
        data.associations[association].sctp.connect(at: now)
        dataAdvanced(association)
    }

    /// Without DTLS there is no way: the association is over (RFC 8261 §5).
    mutating func dataLost(_ webRTC: Slot<WebRTCAssociation>) {
        guard let association = webRTCAssociations[webRTC].data else { return }
        data.associations[association].sctp.abort(at: now)
        dataAdvanced(association)
    }

    /// A transport ends: its client is sent ABORT, as browsers do it.
    mutating func closeData(of webRTC: Slot<WebRTCAssociation>) {
        guard let association = webRTCAssociations[webRTC].data else { return }
        // What is left waits for nobody: without streams nothing is reset.
        data.associations[association].sctp.abort(at: now)
        for consumer in data.associations[association].consumers.values { closeDataConsumer(consumer) }
        for producer in data.associations[association].producers.values { closeDataProducer(producer) }
        _ = transmitData(association, atMost: ShardData.packetsPerTurn)
        data.held -= data.associations[association].heldBytes
        data.pending.removeAll { $0 == association }
        data.associations.remove(association)
        webRTCAssociations[webRTC].data = nil
    }
}
