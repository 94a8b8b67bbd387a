extension Shard {
    /// How often the choice of encodings is looked at without a packet's or command's cause.
    static let selectionInterval = MediaDuration.milliseconds(100)

    mutating func setPreferredLayers(_ layers: ConsumerLayers, of consumer: Slot<ShardConsumer>) {
        guard consumers[consumer].stream.prefer(layers) else { return ignored() }
        allocate(consumers[consumer].transport)
        updateSelection(consumer)
    }

    mutating func beginSelecting(_ consumer: Slot<ShardConsumer>) {
        selecting.append(consumer)
        if nextSelection == nil { nextSelection = now + Self.selectionInterval }
    }

    mutating func endSelecting(_ consumer: Slot<ShardConsumer>) {
        guard consumers[consumer].stream.selectsLayers else { return }
        selecting.removeAll { $0 == consumer }
        if selecting.isEmpty { nextSelection = nil }
    }

    mutating func updateSelections() {
        for consumer in selecting { updateSelection(consumer) }
        nextSelection = now + Self.selectionInterval
    }

    mutating func updateSelection(_ consumer: Slot<ShardConsumer>) {
        guard consumers[consumer].stream.selectsLayers else { return }
        switch consumers[consumer].stream.flow {
        // What it gets is decided already.
        case .catchingUp: return
        case .stopped: break
        case .awaitingKeyFrame, .flowing:
            consumers[consumer].stream.updateTarget(feeds[consumers[consumer].feed].encodings, at: now)
            askForWantedKeyFrame(consumer)
        }
        let (isChanged, layers) = consumers[consumer].stream.pollLayers()
        guard isChanged else { return }
        let transport = consumers[consumer].transport
        let reason = transports[transport].bandwidth.flatMap { bandwidth in
            bandwidths[bandwidth].isBound(at: now) ? bandwidths[bandwidth].allocator.share(of: consumer)?.reason : nil
        }
        transports[transport].events.append(.consumerLayersChanged(consumers[consumer].key, layers, reason))
    }

    // MARK: Another source

    /// Points a consumer at another producer. What it got stops at once; the other's key frame, asked for now, goes on
    /// with the numbers, timestamps and names of pictures where they stand.
    mutating func switchProducer(
        of consumer: Slot<ShardConsumer>, to producer: ProducerKey, _ settings: SourceSettings
    ) {
        let transport = consumers[consumer].transport
        let old = consumers[consumer].feed
        guard accepts(producer, consumer) else {
            return fail(
                transports[transport].key, .invalidSetting,
                "a consumer can be switched to a producer of the same kind and codec only")
        }
        endSelecting(consumer)
        let newest = feeds[old].newestPicture
        let feed = feed(
            of: producer, kind: consumers[consumer].stream.kind, encodings: settings.encodings.count,
            clockRate: consumers[consumer].stream.clockRate, usesDTX: settings.scalability.usesDTX)
        // In this order a switch to the producer it already has keeps the feed.
        feeds[feed].add(consumer, canRetransmit: consumers[consumer].stream.canRetransmit)
        consumers[consumer].feed = feed
        detach(consumer, from: old)
        consumers[consumer].switchSource(settings, newest: newest)
        if consumers[consumer].stream.selectsLayers { beginSelecting(consumer) }
        if case .stopped = consumers[consumer].stream.flow { return updateFlow(consumer) }
        updateFlow(consumer)
        guard consumers[consumer].wantsMedia else { return }
        askForKeyFrames(for: consumer, .change)
    }

    /// Whether a consumer can take a producer's packets, as far as this shard knows the producer.
    private func accepts(_ key: ProducerKey, _ consumer: Slot<ShardConsumer>) -> Bool {
        if let feed = feedsByKey[key.rawValue], feeds[feed].kind != consumers[consumer].stream.kind { return false }
        guard let producer = producersByKey[key.rawValue] else { return true }
        return producers[producer].settings.kind == consumers[consumer].stream.kind
            && producers[producer].settings.codecs.contains { consumers[consumer].stream.accepts($0.mappedPayloadType) }
    }
}
