import RoundhouseMedia

extension RoomState {
    /// The peer's own consumer, once its client knows of it.
    func consumer(_ id: ConsumerID, of session: PeerSession) throws(RoomError) -> (consumer: Consumer, key: ConsumerKey)
    {
        let peer = try peer(session)
        // Without joining a peer has only what it asked for.
        if peer.consumerIDs.isEmpty { _ = try joinedPeer(session) }
        guard let consumer = consumers[id], consumer.peerID == peer.id, let key = consumer.key else {
            throw RoomError(.consumerNotFound, "consumer with id \"\(id)\" not found")
        }
        return (consumer, key)
    }

    /// Copies of one stream to one address would multiply what a sender sends, and no receiver of plain RTP wants them.
    func checkOnlyConsumer(of producer: ProducerID, on transport: Transport) throws(RoomError) {
        guard case .plain = transport.kind,
            transport.consumerIDs.contains(where: { consumers[$0]?.producerID == producer })
        else { return }
        throw RoomError(
            .wrongState,
            "plain transport \"\(transport.id)\" has a consumer of this producer already: use it, or close it first")
    }

    /// Makes the consumers a peer lacks, of every other joined peer's producers.
    mutating func consumeEverything(_ id: PeerID) -> [RoomAction] {
        guard let peer = peers[id], peer.isJoined, peer.may(.subscribe), !peer.consumesOnRequest else { return [] }
        var actions: [RoomAction] = []
        for other in joinedPeers(except: id) {
            for producerID in other.producerIDs { actions += consume(producerID, by: id) }
        }
        return actions
    }

    /// Makes the consumers of a producer that other joined peers lack, and notifies those that make theirs themselves.
    mutating func offerToEverybody(_ id: ProducerID) -> [RoomAction] {
        guard let producer = producers[id], peers[producer.peerID]?.isJoined == true else { return [] }
        var actions: [RoomAction] = []
        for other in joinedPeers(except: producer.peerID) where other.may(.subscribe) {
            actions +=
                other.consumesOnRequest
                ? [.notify(other.session, .newProducers([producer.description]))] : consume(id, by: other.id)
        }
        return actions
    }

    /// Makes a consumer if the peer has a transport for it, can decode it and does not have it.
    mutating func consume(_ producerID: ProducerID, by peerID: PeerID) -> [RoomAction] {
        guard let producer = producers[producerID], let peer = peers[peerID],
            let capabilities = peer.rtpCapabilities, !peer.offeredProducerIDs.contains(producerID),
            let transportID = peer.transportIDs.first(where: { transports[$0]?.isConsuming == true }),
            transports[transportID] != nil
        else { return [] }
        if let refusal = producer.refusal(by: capabilities) { return unsupported(producer, by: peer, refusal) }
        var actions: [RoomAction] = []
        for replica in 0...peer.consumerReplicas {
            guard replica == 0 || peer.consumerIDs.count + replica < configuration.maximumConsumersPerPeer,
                let transport = transports[transportID],
                // mediasoup-demo's server ignores DTX too.
                let id = try? addConsumer(of: producer, to: peer, on: transport, capabilities, ignoresDTX: true)
            else { break }
            actions.append(.openConsumer(id))
        }
        guard !actions.isEmpty else { return [] }
        peers[peerID]?.offeredProducerIDs.insert(producerID)
        peers[peerID]?.unsupportedProducers[producerID] = nil
        return actions
    }

    /// A peer is not offered what it cannot decode, and both it and operators are to know.
    private mutating func unsupported(_ producer: Producer, by peer: Peer, _ refusal: ORTCError) -> [RoomAction] {
        guard peer.unsupportedProducers[producer.id] != refusal.message else { return [] }
        peers[peer.id]?.unsupportedProducers[producer.id] = refusal.message
        journal.append(.producerUnsupported(producer.id, peer: peer.id, reason: refusal.message))
        return [.notify(peer.session, .producerUnsupported(producer.description, reason: refusal.message))]
    }

    /// Checks a peer's own request for a consumer and makes it; `consumerOpenedOnRequest` or `removeConsumer` follows.
    mutating func consume(_ request: ConsumeRequest, from session: PeerSession) throws(RoomError) -> ConsumerID {
        let peer = try peer(session)
        try peer.require(.subscribe)
        let transport = try transport(request.transportID, of: session)
        guard transport.isConsuming else {
            throw RoomError(.wrongState, "transport \"\(transport.id)\" was not made for consuming")
        }
        guard let producer = producers[request.producerID] else {
            throw RoomError(.producerNotFound, "producer with id \"\(request.producerID)\" not found")
        }
        try checkOnlyConsumer(of: producer.id, on: transport)
        guard peer.consumerIDs.count < configuration.maximumConsumersPerPeer else {
            throw RoomError(
                RoomLimit.consumersPerPeer,
                "a peer may have \(configuration.maximumConsumersPerPeer) consumers: close one first")
        }
        if let refusal = producer.refusal(by: request.rtpCapabilities) {
            throw RoomError(.unsupported, "rtpCapabilities: \(refusal.message)")
        }
        do {
            return try addConsumer(
                of: producer, to: peer, on: transport, request.rtpCapabilities, mid: request.mid,
                usesClientIDs: request.usesClientIDs, enableRTX: request.enableRTX,
                ignoresDTX: request.ignoresDTX, preferredLayers: request.preferredLayers)
        } catch {
            throw RoomError(error)
        }
    }

    private mutating func addConsumer(
        of producer: Producer, to peer: Peer, on transport: Transport, _ capabilities: RTPCapabilities,
        mid: String? = nil, usesClientIDs: Bool = false, enableRTX: Bool = true, ignoresDTX: Bool = false,
        preferredLayers: PreferredLayers? = nil
    ) throws(ORTCError) -> ConsumerID {
        let ssrc = randomSSRC(count: 2, avoiding: transport.consumerSSRCs)
        let matching =
            usesClientIDs ? ORTC.routerNumbered(capabilities, like: producer.consumable) : capabilities
        var parameters = try ORTC.consumerParameters(
            producer.consumable, matching, ssrc: ssrc, enableRTX: enableRTX)
        let numbered =
            usesClientIDs ? ORTC.clientNumbered(parameters, kind: producer.kind, by: capabilities) : nil
        if let numbered { parameters = numbered.router }
        let transportID = transport.id
        parameters.mid = mid ?? String(transport.nextMID)
        // mediasoup wraps at the same number; a MID is at most 8 bytes on the wire.
        if mid == nil { transports[transportID]?.nextMID = (transport.nextMID + 1) % 100_000_000 }
        transports[transportID]?.consumerSSRCs.formUnion([ssrc, ssrc + 1])
        let id = ConsumerID(randomIdentifier())
        consumers[id] = Consumer(
            id: id, peerID: peer.id, producerID: producer.id, transportID: transportID, kind: producer.kind,
            type: producer.type, parameters: parameters, ssrc: ssrc)
        consumers[id]?.numbering = numbered?.numbering
        consumers[id]?.clientParameters = numbered?.client
        consumers[id]?.clientParameters?.mid = parameters.mid
        consumers[id]?.ignoresDTX = ignoresDTX
        consumers[id]?.preferredLayers = preferredLayers
        transports[transportID]?.consumerIDs.append(id)
        producers[producer.id]?.consumerIDs.append(id)
        peers[peer.id]?.consumerIDs.append(id)
        recountUse(by: id)
        return id
    }

    /// What the media plane needs to open a consumer; `nil` if it is gone or open already.
    func consumerOpening(
        _ id: ConsumerID
    ) -> (settings: ConsumerSettings, producer: ProducerKey, transport: TransportKey)? {
        guard let consumer = consumers[id], consumer.phase == .opening, let producer = producers[consumer.producerID],
            let transport = transports[consumer.transportID]
        else { return nil }
        var settings = ConsumerSettings(
            kind: consumer.kind, parameters: consumer.parameters, consumable: producer.consumable, ssrc: consumer.ssrc,
            isPaused: true, isProducerPaused: producer.isPaused, numbering: consumer.numbering)
        settings.preferredLayers = consumer.preferredLayers.map(producer.clamped)
        settings.ignoresDTX = consumer.ignoresDTX
        return (settings, producer.key, transport.key)
    }

    /// The media plane has the consumer: it is offered to the client.
    mutating func consumerOpened(_ id: ConsumerID, _ key: ConsumerKey) -> [RoomAction] {
        guard let consumer = consumers[id], consumer.phase == .opening, let peer = peers[consumer.peerID],
            let producer = producers[consumer.producerID]
        else { return [.closeConsumer(key)] }
        consumers[id]?.phase = .offered(key)
        consumers[id]?.offeredProducerPaused = producer.isPaused
        consumerDescribed(id, key, producer)
        return [.offer(peer.session, id, NewConsumerRequest(consumer, of: producer))]
    }

    /// The media plane has a consumer that its client asked for: it may flow.
    /// - Returns: its description for the client; `nil` if it is gone.
    mutating func consumerOpenedOnRequest(
        _ id: ConsumerID, _ key: ConsumerKey
    ) -> (description: NewConsumerRequest, actions: [RoomAction])? {
        guard let consumer = consumers[id], consumer.phase == .opening, let producer = producers[consumer.producerID]
        else { return nil }
        consumers[id]?.phase = .accepted(key)
        consumerDescribed(id, key, producer)
        return (NewConsumerRequest(consumer, of: producer), [.updateConsumer(id)] + scoreUpdates(id))
    }

    /// The media plane has what the consumer's settings said; nothing awaits between their making and this.
    private mutating func consumerDescribed(_ id: ConsumerID, _ key: ConsumerKey, _ producer: Producer) {
        consumerIDs[key] = id
        if let consumer = consumers[id] { journal.append(.consumerOpened(consumer)) }
        consumers[id]?.sentProducerPaused = producer.isPaused
        let wanted = consumers[id]?.preferredLayers
        consumers[id]?.sentPreferredLayers = wanted.map(producer.clamped)
    }

    /// The client has answered `newConsumer`: from here on media may flow.
    mutating func consumerAnswered(_ id: ConsumerID, _ outcome: ServerRequestOutcome) -> [RoomAction] {
        if let session = endedUnanswered.removeValue(forKey: id) {
            return outcome == .accepted ? [.notify(session, .consumerClosed(id))] : []
        }
        guard let consumer = consumers[id], case .offered(let key) = consumer.phase,
            let producer = producers[consumer.producerID]
        else { return [] }
        switch outcome {
        case .disconnected:
            // The connection's owner will say that the peer has left.
            return []
        case .rejected:
            consumers[id]?.phase = .accepted(key)
            // It stays settled: offering it again would be refused again.
            return consumerClosed(id)
        case .accepted:
            consumers[id]?.phase = .accepted(key)
            let isStale = producer.isPaused != consumer.offeredProducerPaused
            return [.updateConsumer(id)] + (isStale ? pauseNotices(id, producer) : []) + scoreUpdates(id)
        }
    }

    /// What its client is notified of when its producer is paused or resumed. Before it has answered the offer it knows no
    /// such consumer, and is notified then.
    func pauseNotices(_ id: ConsumerID, _ producer: Producer) -> [RoomAction] {
        guard let consumer = consumers[id], case .accepted = consumer.phase, let peer = peers[consumer.peerID] else {
            return []
        }
        return [.notify(peer.session, producer.isPaused ? .consumerPaused(id) : .consumerResumed(id))]
    }

    /// Changes of a consumer that were not yet sent to the media plane.
    func consumerUpdates(_ id: ConsumerID) -> [ConsumerUpdate] {
        guard let consumer = consumers[id], let key = consumer.key, let producer = producers[consumer.producerID] else {
            return []
        }
        var updates: [ConsumerUpdate] = []
        if consumer.sentProducerPaused != producer.isPaused { updates.append(.producerPaused(key, producer.isPaused)) }
        if let wanted = consumer.preferredLayers.map(producer.clamped), wanted != consumer.sentPreferredLayers {
            updates.append(.preferredLayers(key, wanted))
        }
        if consumer.sentPriority != consumer.priority {
            updates.append(.priority(key, UInt8(clamping: consumer.priority)))
        }
        if consumer.sentPaused != consumer.isSilent { updates.append(.paused(key, consumer.isSilent)) }
        return updates
    }

    /// The media plane has taken an update.
    mutating func consumerUpdated(_ id: ConsumerID, _ update: ConsumerUpdate) {
        switch update {
        case .paused(_, let isPaused): consumers[id]?.sentPaused = isPaused
        case .producerPaused(_, let isPaused): consumers[id]?.sentProducerPaused = isPaused
        case .preferredLayers(_, let layers): consumers[id]?.sentPreferredLayers = layers
        case .priority(_, let priority): consumers[id]?.sentPriority = Int(priority)
        }
    }

    /// Changes the client's own pause.
    mutating func consumerPauseChanged(_ id: ConsumerID, _ isPaused: Bool) {
        guard let consumer = consumers[id], consumer.isPaused != isPaused else { return }
        consumers[id]?.isPaused = isPaused
        recountUse(by: id)
        journal.append(
            isPaused ? .consumerPaused(id, peer: consumer.peerID) : .consumerResumed(id, peer: consumer.peerID))
    }

    /// Removes one consumer and notifies its client.
    mutating func consumerClosed(_ id: ConsumerID) -> [RoomAction] {
        guard let consumer = removeConsumer(id), let key = consumer.key else { return [] }
        var actions: [RoomAction] = [.closeConsumer(key)]
        guard let peer = peers[consumer.peerID] else { return actions }
        if case .offered = consumer.phase {
            endedUnanswered[id] = peer.session
        } else {
            actions.append(.notify(peer.session, .consumerClosed(id)))
        }
        return actions
    }

    @discardableResult
    mutating func removeConsumer(_ id: ConsumerID) -> Consumer? {
        guard let consumer = consumers.removeValue(forKey: id) else { return nil }
        forgetUse(by: consumer)
        if consumer.key != nil { journal.append(.consumerClosed(id, peer: consumer.peerID)) }
        if let key = consumer.key { consumerIDs[key] = nil }
        peers[consumer.peerID]?.consumerIDs.removeAll { $0 == id }
        producers[consumer.producerID]?.consumerIDs.removeAll { $0 == id }
        transports[consumer.transportID]?.consumerIDs.removeAll { $0 == id }
        transports[consumer.transportID]?.consumerSSRCs.subtract([consumer.ssrc, consumer.ssrc + 1])
        return consumer
    }
}

extension RoomEvent.Kind {
    fileprivate static func consumerOpened(_ consumer: Consumer) -> Self {
        .consumerOpened(
            consumer.id, peer: consumer.peerID, transport: consumer.transportID, producer: consumer.producerID,
            consumer.kind, mimeType: consumer.mimeType)
    }
}

extension NewConsumerRequest {
    init(_ consumer: Consumer, of producer: Producer) {
        self.init(
            peerID: producer.peerID, transportID: consumer.transportID, producerID: producer.id, id: consumer.id,
            kind: consumer.kind, rtpParameters: consumer.clientParameters ?? consumer.parameters, type: consumer.type,
            appData: producer.appData,
            isProducerPaused: producer.isPaused)
    }
}

extension RoomError {
    init(_ error: ORTCError) {
        switch error.kind {
        case .invalid: self.init(.invalidParameters, error.message)
        case .unsupported: self.init(.unsupported, error.message)
        }
    }
}
