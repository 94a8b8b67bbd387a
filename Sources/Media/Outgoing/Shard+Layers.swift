// Safe: pointers to producers, streams and consumers are the shard's own (`Shard+Lifetimes`).
extension Shard {
    /// How often the choice of encodings is looked at without a packet's or command's cause.
    static let selectionInterval = MediaDuration.milliseconds(100)

    mutating func setPreferredLayers(_ layers: ConsumerLayers, of consumer: UnsafeMutablePointer<ShardConsumer>) {
        guard consumer.pointee.stream.prefer(layers) else { return ignored() }
        updateSelection(consumer)
    }

    mutating func beginSelecting(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        selecting.append(consumer)
        if nextSelection == nil { nextSelection = now + Self.selectionInterval }
    }

    mutating func endSelecting(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        guard consumer.pointee.stream.selection != nil else { return }
        selecting.removeAll { $0 == consumer }
        if selecting.isEmpty { nextSelection = nil }
    }

    mutating func updateSelections() {
        for consumer in selecting { updateSelection(consumer) }
        nextSelection = now + Self.selectionInterval
    }

    mutating func updateSelection(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        guard let selection = consumer.pointee.stream.selection else { return }
        switch consumer.pointee.stream.flow {
        // What it gets is decided already.
        case .catchingUp: return
        case .stopped: break
        case .awaitingKeyFrame, .flowing:
            consumer.pointee.stream.updateTarget(consumer.pointee.feed.pointee.encodings, at: now)
            askForWantedKeyFrame(consumer)
        }
        let (isChanged, layers) = selection.pointee.pollChange()
        guard isChanged else { return }
        consumer.pointee.transport.pointee.events.append(.consumerLayersChanged(consumer.pointee.key, layers))
    }

    // MARK: Another source

    /// Points a consumer at another producer. What it got stops at once; the other's key frame, asked for now, goes on
    /// with the numbers, timestamps and names of pictures where they stand.
    mutating func switchProducer(
        of consumer: UnsafeMutablePointer<ShardConsumer>, to producer: ProducerKey, _ settings: SourceSettings
    ) {
        let transport = consumer.pointee.transport
        let old = consumer.pointee.feed
        guard accepts(producer, consumer) else {
            return fail(
                transport.pointee.key, .invalidSetting,
                "a consumer can be switched to a producer of the same kind and codec only")
        }
        endSelecting(consumer)
        let newest = old.pointee.newestPicture
        let feed = feed(
            of: producer, kind: consumer.pointee.stream.kind, encodings: settings.encodings.count,
            clockRate: consumer.pointee.stream.clockRate, usesDTX: settings.scalability.usesDTX)
        // In this order a switch to the producer it already has keeps the feed.
        feed.pointee.add(consumer)
        consumer.pointee.feed = feed
        detach(consumer, from: old)
        consumer.pointee.switchSource(settings, newest: newest)
        if consumer.pointee.stream.selection != nil { beginSelecting(consumer) }
        if case .stopped = consumer.pointee.stream.flow { return updateFlow(consumer) }
        updateFlow(consumer)
        guard consumer.pointee.wantsMedia else { return }
        askForKeyFrames(for: consumer, .change)
    }

    /// Whether a consumer can take a producer's packets, as far as this shard knows the producer.
    private func accepts(_ key: ProducerKey, _ consumer: UnsafeMutablePointer<ShardConsumer>) -> Bool {
        if let feed = feedsByKey[key.rawValue], feed.pointee.kind != consumer.pointee.stream.kind { return false }
        guard let producer = producersByKey[key.rawValue] else { return true }
        return producer.pointee.settings.kind == consumer.pointee.stream.kind
            && producer.pointee.settings.codecs.contains { consumer.pointee.stream.accepts($0.mappedPayloadType) }
    }
}
