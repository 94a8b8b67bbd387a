import RoundhouseMedia

extension RoomState {
    /// The peer's own data producer.
    func dataProducer(_ id: DataProducerID, of session: PeerSession) throws(RoomError) -> DataProducer {
        let peer = try peer(session)
        guard let producer = data.producers[id], producer.peerID == peer.id else {
            throw RoomError(.dataProducerNotFound, "data producer with id \"\(id)\" not found")
        }
        return producer
    }

    /// Checks the request; `dataProducerOpened` follows.
    mutating func openDataProducer(
        _ request: ProduceDataRequest, from session: PeerSession
    ) throws(RoomError) -> DataProducerOpening {
        let peer = try joinedPeer(session)
        try peer.require(.data)
        let transport = try transport(request.transportID, of: session)
        guard let channels = transport.data else {
            throw RoomError(
                .wrongState,
                "cannot create a DataProducer of type 'sctp', SCTP not enabled in transport \"\(transport.id)\": make "
                    + "it with enableSctp")
        }
        try checkDataProducers(of: peer)
        let stream = request.streamParameters.streamID
        guard stream < channels.settings.incomingStreams else {
            throw RoomError(
                .invalidParameters,
                "sctpStreamParameters.streamId: the transport takes streams below \(channels.settings.incomingStreams)")
        }
        guard !channels.producerStreams.contains(stream) else {
            throw RoomError(.streamConflict, "streamId already exists in SCTP listener [streamId:\(stream)]")
        }
        guard case .object = request.appData else {
            throw RoomError(.invalidRequest, "appData: if given, appData must be an object")
        }
        return DataProducerOpening(
            id: DataProducerID(randomIdentifier()), peerID: peer.id,
            source: .init(transportID: transport.id, parameters: request.streamParameters),
            transportKey: transport.key, label: request.label, protocolName: request.protocolName,
            appData: request.appData, isPaused: request.isPaused)
    }

    /// A client has opened a channel in band: it becomes a data producer by the same rules, or is closed.
    mutating func channelOpened(_ channel: OpenedDataChannel) -> [RoomAction] {
        guard let transport = transportIDs[channel.transport].flatMap({ transports[$0] }),
            let session = peers[transport.peerID]?.session
        else { return [] }
        let longest = ProduceDataRequest.textBytes
        let request = ProduceDataRequest(
            transportID: transport.id,
            streamParameters: SCTPStreamParameters(
                streamID: channel.stream, ordered: channel.isOrdered, maxPacketLifeTime: channel.maxPacketLifeTime,
                maxRetransmits: channel.maxRetransmits),
            label: channel.label, protocolName: channel.protocolName)
        guard channel.label.utf8.count <= longest, channel.protocolName.utf8.count <= longest,
            let opening = try? openDataProducer(request, from: session)
        else { return [.closeDataChannel(channel.transport, stream: channel.stream)] }
        return [.openDataProducer(opening)]
    }

    private func checkDataProducers(of peer: Peer) throws(RoomError) {
        guard peer.dataProducerIDs.count < configuration.maximumDataProducersPerPeer else {
            throw RoomError(
                RoomLimit.dataProducersPerPeer,
                "a peer may have \(configuration.maximumDataProducersPerPeer) data producers: close one first")
        }
    }

    /// The producer by which a peer without data channels sends: one for each label, made when it is first needed.
    /// - Returns: the one there is, or what to open.
    mutating func signaledDataProducer(
        _ label: String, from session: PeerSession
    ) throws(RoomError) -> (known: DataProducer?, opening: DataProducerOpening?) {
        let peer = try joinedPeer(session)
        try peer.require(.data)
        let known = peer.dataProducerIDs.compactMap { data.producers[$0] }.first {
            $0.source == nil && $0.label == label
        }
        if let known { return (known, nil) }
        try checkDataProducers(of: peer)
        return (
            nil,
            DataProducerOpening(
                id: DataProducerID(randomIdentifier()), peerID: peer.id, source: nil, transportKey: nil, label: label,
                protocolName: "", appData: .object([:]), isPaused: false)
        )
    }

    /// The media plane has the data producer; it is offered to everybody else, or to the bot.
    mutating func dataProducerOpened(_ opening: DataProducerOpening, _ key: DataProducerKey) -> [RoomAction] {
        let producer = DataProducer(
            id: opening.id, peerID: opening.peerID, source: opening.source, key: key, label: opening.label,
            protocolName: opening.protocolName, appData: opening.appData, isPaused: opening.isPaused)
        data.producers[producer.id] = producer
        data.producerIDs[key] = producer.id
        if let peerID = opening.peerID {
            peers[peerID]?.dataProducerIDs.append(producer.id)
            journal.append(.dataProducerOpened(producer.id, peer: peerID, label: producer.label))
        }
        if let source = opening.source {
            transports[source.transportID]?.data?.producerIDs.append(producer.id)
            transports[source.transportID]?.data?.producerStreams.insert(source.parameters.streamID)
        }
        guard let peerID = opening.peerID else {
            // The bot's: everybody who waits for it gets it now.
            return orderedPeers.filter(\.isJoined).flatMap { consumeData(producer.id, by: $0.id) }
        }
        if producer.isForBot { return [.listenToData(producer.id)] }
        var actions: [RoomAction] = []
        for other in joinedPeers(except: peerID) where other.may(.subscribe) {
            actions +=
                other.consumesOnRequest
                ? [.notify(other.session, .newDataProducers([producer.description]))]
                : consumeData(producer.id, by: other.id)
        }
        for viewer in orderedPeers where viewer.watchedData?.contains(peerID) == true {
            actions += consumeData(producer.id, by: viewer.id)
        }
        if hasSignaledPeers(except: peerID) { actions.append(.listenToData(producer.id)) }
        return actions
    }

    /// Whether the room has to listen for somebody without data channels.
    private func hasSignaledPeers(except id: PeerID) -> Bool {
        peers.values.contains { $0.isJoined && $0.id != id && $0.getsDataBySignaling && $0.may(.subscribe) }
    }

    /// The room's own consumer of a data producer is open.
    mutating func dataListenerOpened(_ id: DataProducerID, _ key: DataConsumerKey) {
        data.producers[id]?.listener = key
        data.listeners[key] = id
    }

    mutating func dataProducerPauseChanged(_ id: DataProducerID, _ isPaused: Bool) {
        data.producers[id]?.isPaused = isPaused
    }

    /// Removes a data producer and its consumers, and notifies those who had one.
    /// - Parameter withTransport: the transport is closed too, and the data producer with it on the media plane.
    mutating func dataProducerClosed(_ id: DataProducerID, withTransport: Bool = false) -> [RoomAction] {
        guard let producer = data.producers.removeValue(forKey: id) else { return [] }
        data.producerIDs[producer.key] = nil
        var actions: [RoomAction] = []
        for consumerID in producer.consumerIDs { actions += dataConsumerClosed(consumerID) }
        if let listener = producer.listener {
            data.listeners[listener] = nil
            actions.append(.closeDataConsumer(listener))
        }
        if !withTransport || producer.source == nil { actions.append(.closeDataProducer(producer.key)) }
        if let source = producer.source {
            transports[source.transportID]?.data?.producerIDs.removeAll { $0 == id }
            transports[source.transportID]?.data?.producerStreams.remove(source.parameters.streamID)
        }
        for peerID in peers.keys { peers[peerID]?.offeredDataProducerIDs.remove(id) }
        guard let peerID = producer.peerID else { return actions }
        peers[peerID]?.dataProducerIDs.removeAll { $0 == id }
        journal.append(.dataProducerClosed(id, peer: peerID))
        return actions
    }

    // MARK: The bot

    /// The room's bot, which answers what is said to it, as mediasoup-demo's does: opened when a client first waits for it.
    mutating func botOpening() -> DataProducerOpening? {
        guard data.botID == nil else { return nil }
        let id = DataProducerID(randomIdentifier())
        data.botID = id
        return DataProducerOpening(
            id: id, peerID: nil, source: nil, transportKey: nil, label: DataProducer.botLabel, protocolName: "",
            appData: .object([:]), isPaused: false)
    }

    /// The media plane was too busy for it: the next who waits for it tries again.
    mutating func botNotOpened() { data.botID = nil }

    /// A message that the room listened to: for the bot, or for peers without data channels.
    mutating func dataHeard(_ key: DataConsumerKey, _ message: DataMessage) -> [RoomAction] {
        guard let id = data.listeners[key], let producer = data.producers[id], let peerID = producer.peerID,
            let text = message.text
        else { return [] }
        guard producer.isForBot else { return signaled(text, label: producer.label, from: peerID) }
        guard let bot = data.botID.flatMap({ data.producers[$0] }), let peer = peers[peerID] else { return [] }
        return [
            .sendData(bot.key, DataMessage(text: "\(peer.description.displayName) said me: \"\(text)\""))
        ]
    }

    /// A text for those who have no data channels.
    func signaled(_ text: String, label: String, from peerID: PeerID) -> [RoomAction] {
        joinedPeers(except: peerID).filter { $0.getsDataBySignaling && $0.may(.subscribe) }.map {
            .notify($0.session, .dataMessage(peerID, label: label, message: text))
        }
    }
}
