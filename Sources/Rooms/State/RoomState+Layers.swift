import RoundhouseMedia

extension Producer {
    /// How many layers it has, as announced; temporal ones unknown if no encoding names a mode.
    private var layerCounts: (spatial: Int, temporal: Int?) {
        let text = consumable.encodings.compactMap(\.scalabilityMode).first
        let mode = ScalabilityMode(text)
        let encodings = consumable.encodings.count
        return (encodings > 1 ? encodings : mode.spatialLayers, text == nil ? nil : mode.temporalLayers)
    }

    /// Wanted layers as far as there are any.
    func clamped(_ wanted: PreferredLayers) -> ConsumerLayers {
        let counts = layerCounts
        let highest = min((counts.temporal ?? 8) - 1, 7)
        let spatial = min(wanted.spatialLayer, counts.spatial - 1, 7)
        return ConsumerLayers(
            spatial: UInt8(clamping: spatial), temporal: UInt8(clamping: min(wanted.temporalLayer ?? highest, highest)))
    }
}

extension RoomState {
    /// Changes what the client wants; what was sent to the media plane before stays until that has taken it.
    mutating func consumerPreferenceChanged(_ id: ConsumerID, _ wanted: PreferredLayers?) {
        consumers[id]?.preferredLayers = wanted
        recountUse(by: id)
    }

    mutating func consumerPriorityChanged(_ id: ConsumerID, _ priority: Int) { consumers[id]?.priority = priority }

    /// The media plane sends other layers.
    mutating func consumerLayersChanged(
        _ key: ConsumerKey, _ layers: ConsumerLayers?, _ reason: LayerReason?
    ) -> [RoomAction] {
        guard let id = consumerIDs[key], let consumer = consumers[id], consumer.currentLayers != layers else {
            return []
        }
        consumers[id]?.currentLayers = layers
        guard consumer.type != .simple, case .accepted = consumer.phase, let peer = peers[consumer.peerID] else {
            return []
        }
        let notification = ServerNotification.consumerLayersChanged(
            id, spatialLayer: layers.map { Int($0.spatial) }, temporalLayer: layers.map { Int($0.temporal) },
            reason: reason)
        return [.notify(peer.session, notification)] + scoreUpdates(id)
    }

    /// What a client's network carries changed, or what it wants: its client may show that.
    func bandwidthReported(_ key: TransportKey, _ report: BandwidthReport) -> [RoomAction] {
        guard let transport = transportIDs[key].flatMap({ transports[$0] }), let peer = peers[transport.peerID],
            peer.isJoined
        else { return [] }
        return [
            .notify(
                peer.session,
                .downlinkBwe(
                    desiredBitrate: report.desired, effectiveDesiredBitrate: report.allocated,
                    availableBitrate: report.available))
        ]
    }

    // MARK: Another producer for the same consumer

    /// Checks a request to point a consumer at another producer; `consumerSwitched` follows.
    func consumerSwitching(
        _ request: SwitchProducerRequest, from session: PeerSession
    ) throws(RoomError) -> (consumer: Consumer, producer: Producer) {
        let consumer = try consumer(request.consumerID, of: session).consumer
        guard let producer = producers[request.producerID], peers[producer.peerID]?.isJoined == true else {
            throw RoomError(.producerNotFound, "producer with id \"\(request.producerID)\" not found")
        }
        guard producer.kind == consumer.kind else {
            throw RoomError(
                .unsupported,
                "producerId: the consumer receives \(consumer.kind.rawValue), the producer sends \(producer.kind.rawValue)"
            )
        }
        // Payload types are the router's, so that equal ones mean the same codec with the same parameters.
        let known = Set(consumer.parameters.codecs.filter { !$0.isRTX }.map(\.payloadType))
        for codec in producer.consumable.codecs
        where !codec.isRTX && !known.contains(codec.payloadType)
            && producer.sentPayloadType ?? codec.payloadType == codec.payloadType
        {
            throw RoomError(
                .unsupported,
                "producerId: the producer sends \(codec.mimeType), the consumer receives \(consumer.mimeType)")
        }
        if consumer.producerID != producer.id, let transport = transports[consumer.transportID] {
            try checkOnlyConsumer(of: producer.id, on: transport)
        }
        return (consumer, producer)
    }

    /// The media plane sends another producer's media.
    mutating func consumerSwitched(
        _ given: Consumer, to producer: Producer
    ) -> (description: NewConsumerRequest, actions: [RoomAction]) {
        var consumer = given
        if given.producerID != producer.id {
            producers[given.producerID]?.consumerIDs.removeAll { $0 == given.id }
            producers[producer.id]?.consumerIDs.append(given.id)
            forgetUse(by: given)
            consumer.usedEncoding = nil
            consumer.producerID = producer.id
            consumer.type = producer.type
            consumer.sentProducerPaused = producer.isPaused
            // The other producer may have other layers: they are asked for again.
            consumer.sentPreferredLayers = nil
            consumers[given.id] = consumer
            recountUse(by: given.id)
            journal.append(.consumerSwitched(given.id, peer: given.peerID, producer: producer.id))
        }
        return (NewConsumerRequest(consumer, of: producer), [.updateConsumer(given.id)] + scoreUpdates(given.id))
    }
}
