import RoundhouseMedia

/// Data producers and consumers: requests of clients.
extension Room {
    func handleData(
        _ request: SignalingRequest, from session: PeerSession
    ) throws(RoomError) -> (SignalingResponse, [RoomAction]) {
        switch request {
        case .produceData(let request):
            let opening = try state.openDataProducer(request, from: session)
            guard let source = opening.source, let transport = opening.transportKey else { break }
            let settings = DataProducerSettings(stream: source.parameters.streamID, isPaused: opening.isPaused)
            let key = try mappingMediaErrors { () throws(MediaError) in
                try media.openDataProducer(settings, on: transport)
            }
            return (.dataProducer(opening.id), state.dataProducerOpened(opening, key))
        case .closeDataProducer(let id):
            _ = try state.dataProducer(id, of: session)
            return (.done, state.dataProducerClosed(id))
        case .pauseDataProducer(let id): return try setDataProducerPaused(id, true, from: session)
        case .resumeDataProducer(let id): return try setDataProducerPaused(id, false, from: session)
        case .consumeData(let request): return (.dataConsumer(try consumeData(request, from: session)), [])
        case .closeDataConsumer(let id):
            _ = try state.dataConsumer(id, of: session)
            return (.done, state.dataConsumerClosed(id))
        case .pauseDataConsumer(let id): return try setDataConsumerPaused(id, true, from: session)
        case .resumeDataConsumer(let id): return try setDataConsumerPaused(id, false, from: session)
        case .setDataConsumerSubchannels(let request):
            let key = try state.dataConsumer(request.dataConsumerID, of: session).key
            try mappingMediaErrors { () throws(MediaError) in
                try media.setDataConsumerSubchannels(key, request.subchannels)
            }
            state.data.consumers[request.dataConsumerID]?.subchannels = request.subchannels
        case .setBufferedAmountLowThreshold(let request):
            let key = try state.dataConsumer(request.dataConsumerID, of: session).key
            state.data.consumers[request.dataConsumerID]?.threshold = request.threshold
            try mappingMediaErrors { () throws(MediaError) in
                try media.setBufferedAmountLowThreshold(key, request.threshold)
            }
        case .sendDataMessage(let request): return (.done, try sendDataMessage(request, from: session))
        default: break
        }
        return (.done, [])
    }

    /// Sends a viewer that does not join the data of one peer, or of all, by channels that are opened in band: now, and as they come.
    /// - Throws: `RoomError` with code `forbidden` if it may not subscribe.
    public func watchData(of publisher: PeerID?, by session: PeerSession) throws(RoomError) {
        defer { finishTransition() }
        perform(try state.watchData(of: publisher, by: session))
    }

    private func setDataProducerPaused(
        _ id: DataProducerID, _ isPaused: Bool, from session: PeerSession
    ) throws(RoomError) -> (SignalingResponse, [RoomAction]) {
        let producer = try state.dataProducer(id, of: session)
        try mappingMediaErrors { () throws(MediaError) in try media.setDataProducerPaused(producer.key, isPaused) }
        state.dataProducerPauseChanged(id, isPaused)
        return (.done, [])
    }

    private func setDataConsumerPaused(
        _ id: DataConsumerID, _ isPaused: Bool, from session: PeerSession
    ) throws(RoomError) -> (SignalingResponse, [RoomAction]) {
        let key = try state.dataConsumer(id, of: session).key
        try mappingMediaErrors { () throws(MediaError) in try media.setDataConsumerPaused(key, isPaused) }
        state.data.consumers[id]?.isPaused = isPaused
        return (.done, [])
    }

    private func consumeData(
        _ request: ConsumeDataRequest, from session: PeerSession
    ) throws(RoomError) -> NewDataConsumerRequest {
        let id = try state.consumeData(request, from: session)
        do throws(MediaError) {
            guard let (settings, producer, transport) = state.dataConsumerOpening(id, isOffered: false) else {
                throw MediaError(.notFound, "the data consumer is gone")
            }
            let key = try media.openDataConsumer(settings, of: producer, on: transport)
            if let description = state.dataConsumerOpened(id, key, isAsked: false) { return description }
            throw MediaError(.notFound, "the data consumer is gone")
        } catch {
            state.removeDataConsumer(id)
            throw RoomError(error)
        }
    }

    /// Everybody with data channels gets it by a data producer of the room's that stands for the peer.
    private func sendDataMessage(
        _ request: SendDataMessageRequest, from session: PeerSession
    ) throws(RoomError) -> [RoomAction] {
        let (known, opening) = try state.signaledDataProducer(request.label, from: session)
        var actions = state.signaled(request.message, label: request.label, from: session.peerID)
        var key = known?.key
        if let opening {
            let opened = try mappingMediaErrors { () throws(MediaError) in try media.openDirectDataProducer() }
            actions += state.dataProducerOpened(opening, opened)
            key = opened
        }
        if let key { actions.append(.sendData(key, DataMessage(text: request.message))) }
        return actions
    }
}
