import RoundhouseMedia

extension RoomState {
    /// The peer's own producer.
    func producer(_ id: ProducerID, of session: PeerSession) throws(RoomError) -> Producer {
        let peer = try joinedPeer(session)
        guard let producer = producers[id], producer.peerID == peer.id else {
            throw RoomError(.producerNotFound, "producer with id \"\(id)\" not found")
        }
        return producer
    }

    /// Every joined peer's producers, in the order the peers came and made them.
    func everyProducer(for session: PeerSession) throws(RoomError) -> [ProducerDescription] {
        guard try joinedPeer(session).may(.subscribe) else { return [] }
        return orderedPeers.filter(\.isJoined).flatMap(\.producerIDs).compactMap { producers[$0]?.description }
    }

    /// Checks the request and maps its parameters; `producerOpened` follows.
    mutating func openProducer(
        _ request: ProduceRequest, from session: PeerSession
    ) throws(RoomError) -> ProducerOpening {
        let peer = try joinedPeer(session)
        try peer.require(.publish)
        let transport = try transport(request.transportID, of: session)
        guard peer.producerIDs.count < configuration.maximumProducersPerPeer else {
            throw RoomError(
                RoomLimit.producersPerPeer,
                "a peer may have \(configuration.maximumProducersPerPeer) producers: close one first")
        }
        guard case .object(var appData) = request.appData else {
            throw RoomError(.invalidRequest, "appData: if given, appData must be an object")
        }
        appData["peerId"] = .string(peer.id.rawValue)
        let first = randomMappedSSRC(count: max(request.rtpParameters.encodings.count, 1))
        let mapping: ProducerMapping
        let type: ProducerType
        do {
            try ORTC.validate(request.rtpParameters, kind: request.kind)
            mapping = try ORTC.producerMapping(
                request.rtpParameters, router: routerCapabilities, firstMappedSSRC: first)
            type = try ORTC.producerType(mapping.rtpParameters)
        } catch {
            throw RoomError(error)
        }
        try checkConflicts(request.rtpParameters, on: transport)
        let cname = transport.cname ?? request.rtpParameters.rtcp.cname ?? randomCNAME()
        let consumable = ORTC.consumableParameters(
            kind: request.kind, mapping: mapping, router: routerCapabilities, cname: cname)
        return ProducerOpening(
            id: ProducerID(randomIdentifier()), peerID: peer.id, transportID: transport.id, transportKey: transport.key,
            kind: request.kind, type: type, mapping: mapping, consumable: consumable, appData: .object(appData),
            settings: ProducerSettings(
                kind: request.kind, mapping: mapping, cname: cname, isPaused: request.isPaused,
                keyFrameRequestDelay: configuration.keyFrameRequestDelay))
    }

    /// Streams are distinguished by SSRC, MID or RID, so none may be announced twice on a transport.
    private func checkConflicts(_ parameters: RTPParameters, on transport: Transport) throws(RoomError) {
        for encoding in parameters.encodings {
            for ssrc in [encoding.ssrc, encoding.rtxSSRC].compactMap({ $0 })
            where transport.producerSSRCs.contains(ssrc) {
                throw RoomError(.streamConflict, "ssrc \(ssrc) is in use by another producer of the transport")
            }
            if parameters.mid == nil, let rid = encoding.rid, transport.producerRIDs.contains(rid) {
                throw RoomError(
                    .streamConflict, "rid \"\(rid)\" is in use by another producer of the transport: give a mid")
            }
        }
        if let mid = parameters.mid, transport.producerMIDs.contains(mid) {
            throw RoomError(.streamConflict, "mid \"\(mid)\" is in use by another producer of the transport")
        }
    }

    /// The media plane has the producer; it is offered to everybody else.
    mutating func producerOpened(_ opening: ProducerOpening, _ key: ProducerKey) -> [RoomAction] {
        producers[opening.id] = Producer(opening, key: key)
        producersInOtherUse.insert(opening.id)
        producerIDs[key] = opening.id
        peers[opening.peerID]?.producerIDs.append(opening.id)
        journal.append(
            .producerOpened(
                opening.id, peer: opening.peerID, transport: opening.transportID, opening.kind, opening.type,
                mimeType: opening.consumable.codecs.first?.mimeType ?? "", isPaused: opening.settings.isPaused,
                source: producers[opening.id]?.source))
        mappedSSRCsTaken(opening.mapping)
        let parameters = opening.mapping.rtpParameters
        transports[opening.transportID]?.producerIDs.append(opening.id)
        transports[opening.transportID]?.cname = opening.settings.cname
        for encoding in parameters.encodings {
            if let ssrc = encoding.ssrc { transports[opening.transportID]?.producerSSRCs.insert(ssrc) }
            if let ssrc = encoding.rtxSSRC { transports[opening.transportID]?.producerSSRCs.insert(ssrc) }
            if parameters.mid == nil, let rid = encoding.rid {
                transports[opening.transportID]?.producerRIDs.insert(rid)
            }
        }
        if let mid = parameters.mid { transports[opening.transportID]?.producerMIDs.insert(mid) }
        return offerToEverybody(opening.id)
    }

    /// Changes a producer's pause, after the media plane took it.
    mutating func producerPauseChanged(_ id: ProducerID, _ isPaused: Bool) -> [RoomAction] {
        guard var producer = producers[id], producer.isPaused != isPaused else { return [] }
        producer.isPaused = isPaused
        producers[id] = producer
        journal.append(
            isPaused ? .producerPaused(id, peer: producer.peerID) : .producerResumed(id, peer: producer.peerID))
        if producer.kind == .audio { audio.setProducerPaused(id, isPaused) }
        var actions: [RoomAction] = []
        for consumerID in producer.consumerIDs {
            guard consumers[consumerID]?.key != nil else { continue }
            actions.append(.updateConsumer(consumerID))
            actions += pauseNotices(consumerID, producer)
        }
        return actions
    }

    /// A producer's client sends a different one of its codecs: whoever cannot decode it loses its consumer, and whoever can
    /// now gets one. Where the codec has another clock, consumers that were offered are made again: a stream has one clock.
    mutating func producerCodecChanged(_ key: ProducerKey, payloadType: UInt8) -> [RoomAction] {
        guard let id = producerIDs[key], let before = producers[id],
            producers[id]?.codecChanged(to: payloadType) == true, let producer = producers[id]
        else { return [] }
        if producer.mimeType != before.mimeType {
            journal.append(.producerCodec(id, peer: producer.peerID, mimeType: producer.mimeType))
        }
        var actions: [RoomAction] = []
        for consumerID in producer.consumerIDs {
            guard let consumer = consumers[consumerID], let peer = peers[consumer.peerID] else { continue }
            let codecs = consumer.parameters.codecs
            let sent = codecs.first { $0.payloadType == payloadType }
            let isOffered = peer.isJoined && !peer.consumesOnRequest
            guard sent.map({ isOffered && $0.clockRate != codecs[0].clockRate }) ?? true else { continue }
            peers[consumer.peerID]?.offeredProducerIDs.remove(id)
            actions += consumerClosed(consumerID)
        }
        guard peers[producer.peerID]?.isJoined == true else { return actions }
        for other in joinedPeers(except: producer.peerID) where other.may(.subscribe) && !other.consumesOnRequest {
            actions += consume(id, by: other.id)
        }
        return actions
    }

    /// Removes a producer and its consumers, and notifies those who had one.
    /// - Parameter withTransport: the transport is closed too, and the producer with it on the media plane.
    mutating func producerClosed(_ id: ProducerID, withTransport: Bool = false) -> [RoomAction] {
        guard let producer = producers.removeValue(forKey: id) else { return [] }
        producerIDs[producer.key] = nil
        var actions = audioEnded(id)
        for consumerID in producer.consumerIDs { actions += consumerClosed(consumerID) }
        journal.append(.producerClosed(id, peer: producer.peerID))
        if !withTransport { actions.append(.closeProducer(producer.key)) }
        mappedSSRCsReleased(producer.mapping)
        peers[producer.peerID]?.producerIDs.removeAll { $0 == id }
        // What peers have settled about it is of no use any more.
        for peerID in peers.keys {
            peers[peerID]?.offeredProducerIDs.remove(id)
            peers[peerID]?.unsupportedProducers[id] = nil
        }
        transports[producer.transportID]?.producerIDs.removeAll { $0 == id }
        let parameters = producer.mapping.rtpParameters
        for encoding in parameters.encodings {
            if let ssrc = encoding.ssrc { transports[producer.transportID]?.producerSSRCs.remove(ssrc) }
            if let ssrc = encoding.rtxSSRC { transports[producer.transportID]?.producerSSRCs.remove(ssrc) }
            if parameters.mid == nil, let rid = encoding.rid {
                transports[producer.transportID]?.producerRIDs.remove(rid)
            }
        }
        if let mid = parameters.mid { transports[producer.transportID]?.producerMIDs.remove(mid) }
        return actions
    }
}
