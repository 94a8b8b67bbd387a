// Safe: pointers to producers, streams and consumers are the shard's own (`Shard+Lifetimes`).
extension Shard {
    /// How often the choice of encodings is looked at without a packet's or command's cause.
    static let selectionInterval = MediaDuration.milliseconds(100)

    // MARK: The producer's side

    /// Finds a packet's layers, once for all consumers.
    mutating func readLayers(
        of payload: UnsafeRawBufferPointer, _ extensions: ReceivedExtensions, codec: CodecKind, extended: UInt64,
        in packet: UnsafeRawBufferPointer, of stream: UnsafeMutablePointer<ReceivingStream>
    ) -> PacketLayers {
        guard !payload.isEmpty else { return PacketLayers() }
        let usesDTX = stream.pointee.producer.pointee.settings.scalability.usesDTX
        let isBack = stream.pointee.activity.packetReceived(
            within: usesDTX ? SourceEncodings.timeoutWithDTX : SourceEncodings.timeout, isOnly: false, at: now)
        if isBack, stream.pointee.keyFrames.isPending {
            stream.pointee.keyFrames.senderReturned(at: now)
            touch(stream.pointee.producer.pointee.transport)
        }
        if stream.pointee.layers.codec != codec {
            let isKSVC = stream.pointee.producer.pointee.settings.scalability.isKSVC
            stream.pointee.layers = LayerReader(codec: codec, isKSVC: isKSVC)
        }
        let descriptor =
            extensions.dependencyDescriptor.map { UnsafeRawBufferPointer(rebasing: packet[$0]) }
            ?? UnsafeRawBufferPointer(start: nil, count: 0)
        return stream.pointee.layers.read(payload: payload, descriptor: descriptor, sequence: extended)
    }

    /// Tells every shard with consumers of it what an encoding's sender has reported, and since when it is sent.
    mutating func encodingAdvanced(_ stream: UnsafeMutablePointer<ReceivingStream>) {
        let producer = stream.pointee.producer
        stream.pointee.activity.report = stream.pointee.stream.senderReport
        let state = stream.pointee.activity
        let encoding = stream.pointee.encoding
        let key = producer.pointee.key.rawValue
        sourcesByKey[key]?.pointee.activity.advanced(encoding: encoding, to: state)
        send(
            .encodingAdvanced(producer: key, encoding: encoding, state), toEach: producer.pointee.subscribedShards)
    }

    /// An encoding's stream ends or begins anew: nothing that was known of it holds.
    mutating func encodingRestarted(_ stream: UnsafeMutablePointer<ReceivingStream>) {
        let producer = stream.pointee.producer
        let encoding = stream.pointee.encoding
        stream.pointee.activity = SourceEncodings.Encoding()
        let key = producer.pointee.key.rawValue
        encodingRestarted(key, encoding: encoding)
        send(.encodingRestarted(producer: key, encoding: encoding), toEach: producer.pointee.subscribedShards)
    }

    // MARK: The consumers' side

    mutating func encodingRestarted(_ key: UInt64, encoding: Int) {
        guard let source = sourcesByKey[key] else { return }
        source.pointee.activity.reset(encoding: encoding)
        source.pointee.forgetGroup(of: encoding)
        for index in 0..<source.pointee.count {
            source.pointee.consumers[index].pointee.selection?.pointee.encodings.encodingRestarted(encoding)
        }
    }

    /// Asks for what a consumer has to have now: because it starts, or its client says so.
    mutating func askForKeyFrames(
        for consumer: UnsafeMutablePointer<ShardConsumer>, _ need: KeyFrameRequester.Need
    ) {
        if case .stopped = consumer.pointee.flow { return }
        if let selection = consumer.pointee.selection, selection.pointee.kind == .encodings {
            selection.pointee.encodings.updateTarget(consumer.pointee.source.pointee.activity, at: now)
        }
        if let current = consumer.pointee.currentEncoding {
            askForKeyFrame(.receiver, of: current, need, for: consumer)
        }
        // Where no encoding is known to be sent, the first packet that is held asks.
        if let wanted = consumer.pointee.wantedKeyFrame { askForKeyFrame(.start, of: wanted, need, for: consumer) }
    }

    mutating func setPreferredLayers(_ layers: ConsumerLayers, of consumer: UnsafeMutablePointer<ShardConsumer>) {
        guard let selection = consumer.pointee.selection, selection.pointee.kind != .whole else { return ignored() }
        selection.pointee.prefer(layers)
        updateSelection(consumer)
    }

    mutating func beginSelecting(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        selecting.append(consumer)
        if nextSelection == nil { nextSelection = now + Self.selectionInterval }
    }

    mutating func endSelecting(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        guard consumer.pointee.selection != nil else { return }
        selecting.removeAll { $0 == consumer }
        if selecting.isEmpty { nextSelection = nil }
    }

    mutating func updateSelections() {
        for consumer in selecting { updateSelection(consumer) }
        nextSelection = now + Self.selectionInterval
    }

    mutating func updateSelection(_ consumer: UnsafeMutablePointer<ShardConsumer>) {
        guard let selection = consumer.pointee.selection else { return }
        switch consumer.pointee.flow {
        // What it gets is decided already.
        case .catchingUp: return
        case .stopped: break
        case .awaitingKeyFrame, .flowing:
            let source = consumer.pointee.source
            if selection.pointee.kind == .encodings {
                selection.pointee.encodings.updateTarget(source.pointee.activity, at: now)
            }
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
        let old = consumer.pointee.source
        guard accepts(producer, consumer) else {
            return fail(
                transport.pointee.key, .invalidSetting,
                "a consumer can be switched to a producer of the same kind and codec only")
        }
        // Names are given to pictures from now on, and continue those of the source that had its own.
        endSelecting(consumer)
        var pictures = consumer.pointee.selection?.pointee.pictures ?? PictureIDRewriter()
        if !pictures.isSynchronised, consumer.pointee.codec == .vp8, old.pointee.newestPicture.flags.hasNames {
            pictures.synchronise(old.pointee.newestPicture)
            _ = pictures.rewrite(old.pointee.newestPicture)
        }
        let preferred = consumer.pointee.selection?.pointee.preferred
        let source = source(
            of: producer, kind: consumer.pointee.kind, encodings: settings.encodings.count,
            clockRate: consumer.pointee.clockRate, usesDTX: settings.scalability.usesDTX)
        // In this order a switch to the producer it already has keeps the source.
        source.pointee.add(consumer)
        consumer.pointee.source = source
        detach(consumer, from: old)
        consumer.pointee.switchSource(settings, pictures: pictures, preferred: preferred)
        if consumer.pointee.selection != nil { beginSelecting(consumer) }
        if case .stopped = consumer.pointee.flow { return updateFlow(consumer) }
        updateFlow(consumer)
        guard consumer.pointee.wantsMedia else { return }
        askForKeyFrames(for: consumer, .change)
    }

    /// Whether a consumer can take a producer's packets, as far as this shard knows the producer.
    private func accepts(_ key: ProducerKey, _ consumer: UnsafeMutablePointer<ShardConsumer>) -> Bool {
        if let source = sourcesByKey[key.rawValue], source.pointee.kind != consumer.pointee.kind { return false }
        guard let producer = producersByKey[key.rawValue] else { return true }
        return producer.pointee.settings.kind == consumer.pointee.kind
            && producer.pointee.settings.codecs.contains { consumer.pointee.accepts($0.mappedPayloadType) }
    }
}
