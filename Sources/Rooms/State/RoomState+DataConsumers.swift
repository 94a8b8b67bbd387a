import RoundhouseMedia

extension RoomState {
    /// The peer's own data consumer, once its client knows of it.
    func dataConsumer(
        _ id: DataConsumerID, of session: PeerSession
    ) throws(RoomError) -> (consumer: DataConsumer, key: DataConsumerKey) {
        let peer = try peer(session)
        guard let consumer = data.consumers[id], consumer.peerID == peer.id, let key = consumer.key else {
            throw RoomError(.dataConsumerNotFound, "data consumer with id \"\(id)\" not found")
        }
        return (consumer, key)
    }

    /// Makes the data consumers a peer lacks, of every other joined peer's data producers, and the bot's.
    mutating func consumeAllData(_ id: PeerID) -> [RoomAction] {
        guard let peer = peers[id], peer.isJoined, peer.may(.subscribe) else { return [] }
        var actions: [RoomAction] = []
        let all = joinedPeers(except: id).flatMap(\.dataProducerIDs).compactMap { data.producers[$0] }
            .filter { !$0.isForBot }
        if peer.getsDataBySignaling {
            actions += all.filter { $0.listener == nil && $0.source != nil }.map { .listenToData($0.id) }
        }
        if peer.consumesOnRequest {
            if !all.isEmpty { actions.append(.notify(peer.session, .newDataProducers(all.map(\.description)))) }
            return actions
        }
        for producer in all { actions += consumeData(producer.id, by: id) }
        guard peer.receivesData, peer.wantsBot, dataTransport(of: peer) != nil else { return actions }
        if let bot = data.botID {
            actions += consumeData(bot, by: id)
        } else {
            actions.append(.openBot)
        }
        return actions
    }

    /// Says what a viewer is sent without joining, and makes its data consumers of what there is.
    mutating func watchData(of publisher: PeerID?, by session: PeerSession) throws(RoomError) -> [RoomAction] {
        let peer = try peer(session)
        try peer.require(.subscribe)
        peers[peer.id]?.watchedData = publisher.map { .one($0) } ?? .everybody
        return watchAllData(peer.id)
    }

    mutating func watchAllData(_ id: PeerID) -> [RoomAction] {
        guard let watched = peers[id]?.watchedData else { return [] }
        let all = joinedPeers(except: id).filter { watched.contains($0.id) }.flatMap(\.dataProducerIDs)
        var actions: [RoomAction] = []
        for producer in all where data.producers[producer]?.isForBot == false {
            actions += consumeData(producer, by: id)
        }
        return actions
    }

    /// Whether the consumer's client learns of it by its channel.
    func isOpenedInBand(_ id: DataConsumerID) -> Bool {
        data.consumers[id].flatMap { transports[$0.transportID]?.data?.settings.inBandRole } != nil
    }

    private func dataTransport(of peer: Peer) -> TransportID? {
        peer.transportIDs.first { transports[$0]?.isConsuming == true && transports[$0]?.data != nil }
    }

    /// Makes a data consumer if the peer receives data, has a transport for it and does not have it.
    mutating func consumeData(_ producerID: DataProducerID, by peerID: PeerID) -> [RoomAction] {
        guard let producer = data.producers[producerID], let peer = peers[peerID],
            peer.receivesData || peer.watchedData != nil, !peer.consumesOnRequest, peer.may(.subscribe),
            producer.peerID != nil || peer.wantsBot,
            !peer.offeredDataProducerIDs.contains(producerID), let transportID = dataTransport(of: peer),
            let id = addDataConsumer(
                ConsumeDataRequest(transportID: transportID, dataProducerID: producerID), of: producer, to: peer)
        else { return [] }
        peers[peerID]?.offeredDataProducerIDs.insert(producerID)
        return [.openDataConsumer(id)]
    }

    /// Checks a peer's own request for a data consumer and makes it; `dataConsumerOpened` or `removeDataConsumer` follows.
    mutating func consumeData(
        _ request: ConsumeDataRequest, from session: PeerSession
    ) throws(RoomError) -> DataConsumerID {
        let peer = try peer(session)
        try peer.require(.subscribe)
        let transport = try transport(request.transportID, of: session)
        guard transport.isConsuming else {
            throw RoomError(.wrongState, "transport \"\(transport.id)\" was not made for consuming")
        }
        guard transport.data != nil else {
            throw RoomError(
                .wrongState, "SCTP not enabled in transport \"\(transport.id)\": make it with enableSctp")
        }
        guard let producer = data.producers[request.dataProducerID] else {
            throw RoomError(
                .dataProducerNotFound, "data producer with id \"\(request.dataProducerID)\" not found")
        }
        guard peer.dataConsumerIDs.count < configuration.maximumDataConsumersPerPeer else {
            throw RoomError(
                RoomLimit.dataConsumersPerPeer,
                "a peer may have \(configuration.maximumDataConsumersPerPeer) data consumers: close one first")
        }
        guard let id = addDataConsumer(request, of: producer, to: peer) else {
            throw RoomError(.wrongState, "no sctpStreamId available: close a data consumer first")
        }
        return id
    }

    private mutating func addDataConsumer(
        _ request: ConsumeDataRequest, of producer: DataProducer, to peer: Peer
    ) -> DataConsumerID? {
        guard peer.dataConsumerIDs.count < configuration.maximumDataConsumersPerPeer,
            let stream = transports[request.transportID]?.data?.takeStream()
        else { return nil }
        let source = producer.source?.parameters
        var parameters = SCTPStreamParameters(
            streamID: stream, ordered: source?.ordered ?? true, maxPacketLifeTime: source?.maxPacketLifeTime,
            maxRetransmits: source?.maxRetransmits)
        if request.maxPacketLifeTime != nil || request.maxRetransmits != nil {
            parameters.maxPacketLifeTime = request.maxPacketLifeTime
            parameters.maxRetransmits = request.maxRetransmits
            parameters.ordered = false
        } else if let ordered = request.ordered {
            parameters.ordered = ordered
            if ordered { (parameters.maxPacketLifeTime, parameters.maxRetransmits) = (nil, nil) }
        }
        let id = DataConsumerID(randomIdentifier())
        data.consumers[id] = DataConsumer(
            id: id, peerID: peer.id, producerID: producer.id, transportID: request.transportID, parameters: parameters,
            label: producer.label, protocolName: producer.protocolName, subchannels: request.subchannels,
            isPaused: request.isPaused)
        transports[request.transportID]?.data?.consumerIDs.append(id)
        data.producers[producer.id]?.consumerIDs.append(id)
        peers[peer.id]?.dataConsumerIDs.append(id)
        return id
    }

    /// What the media plane needs; `nil` once it is open or gone.
    /// - Parameter isOffered: whether its client has yet to answer.
    func dataConsumerOpening(
        _ id: DataConsumerID, isOffered: Bool
    ) -> (settings: DataConsumerSettings, producer: DataProducerKey, transport: TransportKey)? {
        guard let consumer = data.consumers[id], case .opening = consumer.phase,
            let producer = data.producers[consumer.producerID], let transport = transports[consumer.transportID]
        else { return nil }
        var settings = DataConsumerSettings(
            stream: consumer.parameters.streamID, isOrdered: consumer.parameters.ordered,
            maxPacketLifeTime: consumer.parameters.maxPacketLifeTime,
            maxRetransmits: consumer.parameters.maxRetransmits, subchannels: consumer.subchannels,
            isPaused: consumer.isPaused)
        // What arrives for a number without a channel is lost: until its client has answered, messages wait.
        settings.isHeld = isOffered
        settings.label = consumer.label
        settings.protocolName = consumer.protocolName
        return (settings, producer.key, transport.key)
    }

    /// The media plane has the data consumer; its client is asked to take it.
    mutating func dataConsumerOpened(_ id: DataConsumerID, _ key: DataConsumerKey) -> [RoomAction] {
        guard let peer = data.consumers[id].flatMap({ peers[$0.peerID] }),
            let request = dataConsumerOpened(id, key, isAsked: !isOpenedInBand(id))
        else { return [.closeDataConsumer(key)] }
        return isOpenedInBand(id) ? [] : [.offerData(peer.session, id, request)]
    }

    /// The same of one that its client has asked for, which knows it by the answer.
    /// - Parameter isAsked: whether its client has yet to answer.
    mutating func dataConsumerOpened(
        _ id: DataConsumerID, _ key: DataConsumerKey, isAsked: Bool
    ) -> NewDataConsumerRequest? {
        guard let consumer = data.consumers[id], let producer = data.producers[consumer.producerID] else { return nil }
        data.consumers[id]?.phase = isAsked ? .offered(key) : .accepted(key)
        data.consumerIDs[key] = id
        journal.append(.dataConsumerOpened(id, peer: consumer.peerID, dataProducer: producer.id))
        return NewDataConsumerRequest(
            peerID: producer.peerID, transportID: consumer.transportID, dataProducerID: producer.id, id: id,
            streamParameters: consumer.parameters, label: producer.label, protocolName: producer.protocolName,
            appData: producer.appData)
    }

    /// A client has answered an offer.
    mutating func dataConsumerAnswered(_ id: DataConsumerID, _ outcome: ServerRequestOutcome) -> [RoomAction] {
        if let session = data.endedUnanswered.removeValue(forKey: id) {
            return outcome == .accepted ? [.notify(session, .dataConsumerClosed(id))] : []
        }
        guard let consumer = data.consumers[id], case .offered(let key) = consumer.phase else { return [] }
        switch outcome {
        case .disconnected: return []
        case .accepted:
            data.consumers[id]?.phase = .accepted(key)
            return [.releaseDataConsumer(key)]
        case .rejected:
            data.consumers[id]?.phase = .accepted(key)
            // It stays settled: offering it again would be refused again. The client has none to be notified of.
            return dataConsumerClosed(id).filter { if case .notify = $0 { false } else { true } }
        }
    }

    /// Removes one data consumer and notifies its client.
    mutating func dataConsumerClosed(_ id: DataConsumerID) -> [RoomAction] {
        guard let consumer = removeDataConsumer(id), let key = consumer.key else { return [] }
        var actions: [RoomAction] = [.closeDataConsumer(key)]
        guard let peer = peers[consumer.peerID] else { return actions }
        if case .offered = consumer.phase {
            data.endedUnanswered[id] = peer.session
        } else {
            actions.append(.notify(peer.session, .dataConsumerClosed(id)))
        }
        return actions
    }

    @discardableResult
    mutating func removeDataConsumer(_ id: DataConsumerID) -> DataConsumer? {
        guard let consumer = data.consumers.removeValue(forKey: id) else { return nil }
        if let key = consumer.key {
            data.consumerIDs[key] = nil
            journal.append(.dataConsumerClosed(id, peer: consumer.peerID))
        }
        peers[consumer.peerID]?.dataConsumerIDs.removeAll { $0 == id }
        data.producers[consumer.producerID]?.consumerIDs.removeAll { $0 == id }
        transports[consumer.transportID]?.data?.consumerIDs.removeAll { $0 == id }
        transports[consumer.transportID]?.data?.consumerStreams.remove(consumer.parameters.streamID)
        return consumer
    }

    // MARK: What the media plane says

    mutating func sctpStateChanged(_ key: TransportKey, _ state: SCTPConnectionState) {
        guard let id = transportIDs[key], let transport = transports[id] else { return }
        transports[id]?.data?.state = state
        journal.append(.transportSCTP(id, peer: transport.peerID, state))
    }

    mutating func dataEvent(_ event: DataEvent) -> [RoomAction] {
        switch event {
        case .messageReceived(let key, let message): return dataHeard(key, message)
        case .producerClosedByClient(let key): return data.producerIDs[key].map { dataProducerClosed($0) } ?? []
        case .channelOpened(let channel): return channelOpened(channel)
        case .consumerClosedByClient(let key): return data.consumerIDs[key].map { dataConsumerClosed($0) } ?? []
        case .sendBufferFull(let key):
            guard let (peer, id) = owner(of: key) else { return [] }
            return [.notify(peer.session, .dataConsumerSendBufferFull(id))]
        case .bufferedAmountLow(let key, let bytes):
            guard let (peer, id) = owner(of: key) else { return [] }
            return [.notify(peer.session, .dataConsumerBufferedAmountLow(id, bufferedAmount: bytes))]
        }
    }

    /// A client that has asked for a threshold, and so knows what is sent of it.
    private func owner(of key: DataConsumerKey) -> (Peer, DataConsumerID)? {
        guard let id = data.consumerIDs[key], let consumer = data.consumers[id], consumer.threshold != nil,
            let peer = peers[consumer.peerID]
        else { return nil }
        return (peer, id)
    }
}
