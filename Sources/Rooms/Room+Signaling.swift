import Logging
import RoundhouseMedia

extension Room {
    /// Answers a request of a connected client.
    ///
    /// Notifications that follow from the request may be sent before this returns; if a client must see its
    /// response first, use `request(_:from:respond:)`.
    /// - Throws: `RoomError`, to be sent to the client.
    public func request(
        _ request: SignalingRequest, from session: PeerSession
    ) async throws(RoomError) -> SignalingResponse {
        switch try handleCounted(request, from: session) {
        case .now(let response, let actions):
            perform(actions)
            finishTransition()
            return response
        case .statistics(let query):
            return .statistics(try await statistics(query, for: session))
        }
    }

    /// Answers a request of a connected client; `respond` is called once, before anything that follows from the
    /// request is sent to any peer.
    public func request(
        _ request: SignalingRequest, from session: PeerSession,
        respond: @Sendable (Result<SignalingResponse, RoomError>) -> Void
    ) async {
        do throws(RoomError) {
            switch try handleCounted(request, from: session) {
            case .now(let response, let actions):
                respond(.success(response))
                perform(actions)
                finishTransition()
            case .statistics(let query):
                let entries = try await statistics(query, for: session)
                respond(.success(.statistics(entries)))
            }
        } catch {
            respond(.failure(error))
        }
    }

    private enum Outcome {
        case now(SignalingResponse, then: [RoomAction])
        case statistics(StatisticsQuery)
    }

    /// Checks a request, sends the media plane what cannot wait, and changes the state.
    private func handleCounted(_ request: SignalingRequest, from session: PeerSession) throws(RoomError) -> Outcome {
        try limits.counting { () throws(RoomError) in try handle(request, from: session) }
    }

    private func handle(_ request: SignalingRequest, from session: PeerSession) throws(RoomError) -> Outcome {
        retryQueued()
        switch request {
        case .getRouterRtpCapabilities:
            _ = try state.peer(session)
            return .now(.routerRtpCapabilities(routerCapabilities), then: [])
        case .join(let join):
            let (answer, actions) = try state.join(join, from: session, at: wallClock())
            return .now(.joined(answer), then: actions)
        case .changeDisplayName(let name):
            return .now(.done, then: try state.changeDisplayName(name, from: session))
        case .createWebRtcTransport(let create): return try openTransport(create, from: session)
        case .connectWebRtcTransport(let connect): return try connectTransport(connect, from: session)
        case .createPlainTransport(let create): return try openPlainTransport(create, from: session)
        case .connectPlainTransport(let connect): return try connectPlainTransport(connect, from: session)
        case .restartIce(let id): return try restartICE(id, from: session)
        case .produce(let produce): return try openProducer(produce, from: session)
        case .closeProducer(let id):
            _ = try state.producer(id, of: session)
            return .now(.done, then: state.producerClosed(id))
        case .pauseProducer(let id): return try setProducerPaused(id, true, from: session)
        case .resumeProducer(let id): return try setProducerPaused(id, false, from: session)
        case .pauseConsumer(let id): return try setConsumerPaused(id, true, from: session)
        case .resumeConsumer(let id): return try setConsumerPaused(id, false, from: session)
        case .closeConsumer(let id):
            _ = try state.consumer(id, of: session)
            return .now(.done, then: state.consumerClosed(id))
        case .requestConsumerKeyFrame(let id):
            let (_, key) = try state.consumer(id, of: session)
            try mappingMediaErrors { () throws(MediaError) in try media.requestKeyFrame(key) }
            return .now(.done, then: [])
        case .consume(let request): return try consume(request, from: session)
        case .getProducers: return .now(.producers(try state.everyProducer(for: session)), then: [])
        case .getPeers:
            _ = try state.joinedPeer(session)
            return .now(.peers(state.orderedPeers.filter(\.isJoined).map(\.description)), then: [])
        case .getTransportStats(let id):
            _ = try state.transport(id, of: session)
            return .statistics(.transport(id))
        case .getProducerStats(let id):
            _ = try state.producer(id, of: session)
            return .statistics(.producer(id))
        case .getConsumerStats(let id):
            _ = try state.consumer(id, of: session)
            return .statistics(.consumer(id))
        case .setConsumerPreferredLayers(let request):
            return try setConsumerPreferredLayers(request, from: session)
        case .setConsumerPriority(let request):
            return try setConsumerPriority(request, from: session)
        case .switchProducer(let request): return try switchProducer(request, from: session)
        case .produceData, .closeDataProducer, .pauseDataProducer, .resumeDataProducer, .consumeData,
            .closeDataConsumer, .pauseDataConsumer, .resumeDataConsumer, .setDataConsumerSubchannels,
            .setBufferedAmountLowThreshold, .sendDataMessage:
            let (response, actions) = try handleData(request, from: session)
            return .now(response, then: actions)
        case .getDataProducerStats(let id):
            _ = try state.dataProducer(id, of: session)
            return .statistics(.dataProducer(id))
        case .getDataConsumerStats(let id):
            _ = try state.dataConsumer(id, of: session)
            return .statistics(.dataConsumer(id))
        // Without a secret of its own, the demo's server finds every client's wrong.
        case .applyNetworkThrottle, .resetNetworkThrottle:
            throw RoomError(.forbidden, "secret: this server lets nobody throttle networks")
        }
    }

    func mappingMediaErrors<Value>(_ body: () throws(MediaError) -> Value) throws(RoomError) -> Value {
        do { return try body() } catch { throw RoomError(error) }
    }

    private func openTransport(
        _ request: CreateWebRtcTransportRequest, from session: PeerSession
    ) throws(RoomError) -> Outcome {
        guard media.endpoints.allSatisfy({ !ICECandidate.candidates(of: $0, request.candidates).isEmpty }) else {
            throw RoomError(
                .invalidParameters,
                "no candidate is left: this server's media goes over \(ShardEndpoint.ways(to: media.endpoints))")
        }
        let opening = try state.openTransport(request, from: session)
        let key = try mappingMediaErrors { () throws(MediaError) in
            try media.openTransport(opening.settings, events: events)
        }
        let actions = state.transportOpened(opening, key)
        let endpoint =
            key.shard < media.endpoints.count ? media.endpoints[key.shard] : ShardEndpoint(addresses: [])
        let description = WebRtcTransportDescription(
            id: opening.id,
            iceParameters: ICEParameters(media.credentials(opening.settings.iceCredentials, of: key)),
            iceCandidates: ICECandidate.candidates(of: endpoint, request.candidates),
            fingerprints: media.fingerprints, dataChannels: opening.settings.data)
        return .now(.webRtcTransport(description), then: actions)
    }

    private func connectTransport(
        _ request: ConnectWebRtcTransportRequest, from session: PeerSession
    ) throws(RoomError) -> Outcome {
        let (key, role, fingerprint) = try state.connectTransport(request, from: session)
        try mappingMediaErrors { () throws(MediaError) in
            try media.connectTransport(key, role: role, remoteFingerprint: fingerprint)
        }
        state.transportConnected(request.transportID)
        return .now(.done, then: [])
    }

    private func openPlainTransport(
        _ request: CreatePlainTransportRequest, from session: PeerSession
    ) throws(RoomError) -> Outcome {
        guard media.hasPlainTransports else {
            throw RoomError(
                .notImplemented,
                "this server gives no plain transports (its operator can, with --plain-ports): use one of type "
                    + "\"webrtc\", or WHIP at /whip/")
        }
        let opening = try state.openPlainTransport(
            request, destinations: media.plainDestinations(for: request.requesterAddress), from: session)
        let opened: (key: TransportKey, endpoint: PlainEndpoint)
        do throws(MediaError) {
            opened = try media.openPlainTransport(opening.settings, events: events)
        } catch {
            // What is missing is no room's secret: ports, or descriptors.
            logger.warning("no plain transport could be opened", metadata: ["error": "\(error)"])
            throw error.code == .overloaded
                ? RoomError(.overloaded, "the server has no UDP port left for a plain transport: try again later")
                : RoomError(error)
        }
        return .now(.plainTransport(state.plainTransportOpened(opening, opened.key, opened.endpoint)), then: [])
    }

    private func connectPlainTransport(
        _ request: ConnectPlainTransportRequest, from session: PeerSession
    ) throws(RoomError) -> Outcome {
        let (key, remote) = try state.connectPlainTransport(request, from: session)
        try mappingMediaErrors { () throws(MediaError) in try media.connectPlainTransport(key, to: remote) }
        state.transportConnected(request.transportID)
        return .now(.done, then: [])
    }

    private func restartICE(_ id: TransportID, from session: PeerSession) throws(RoomError) -> Outcome {
        let (key, new) = try state.restartICE(id, from: session)
        let credentials = media.credentials(new, of: key)
        try mappingMediaErrors { () throws(MediaError) in try media.restartICE(key, credentials: credentials) }
        return .now(.iceParameters(ICEParameters(credentials)), then: [])
    }

    private func openProducer(_ request: ProduceRequest, from session: PeerSession) throws(RoomError) -> Outcome {
        let opening = try state.openProducer(request, from: session)
        let key = try mappingMediaErrors { () throws(MediaError) in
            try media.openProducer(opening.settings, on: opening.transportKey)
        }
        return .now(.producer(opening.id), then: state.producerOpened(opening, key))
    }

    private func consume(_ request: ConsumeRequest, from session: PeerSession) throws(RoomError) -> Outcome {
        let id = try state.consume(request, from: session)
        do throws(RoomError) {
            guard let (settings, producer, transport) = state.consumerOpening(id) else { throw Self.vanished }
            let key = try mappingMediaErrors { () throws(MediaError) in
                try media.openConsumer(settings, of: producer, on: transport)
            }
            guard let (description, actions) = state.consumerOpenedOnRequest(id, key) else { throw Self.vanished }
            return .now(.consumer(description), then: actions)
        } catch {
            state.removeConsumer(id)
            throw error
        }
    }

    /// Nothing awaits between a consumer's making and its opening, so it cannot be.
    private static let vanished = RoomError(.internalError, "the consumer was closed while it was opened")

    private func setProducerPaused(
        _ id: ProducerID, _ isPaused: Bool, from session: PeerSession
    ) throws(RoomError) -> Outcome {
        // The right may have been taken from it meanwhile.
        if !isPaused { try state.joinedPeer(session).require(.publish) }
        let producer = try state.producer(id, of: session)
        guard producer.isPaused != isPaused else { return .now(.done, then: []) }
        try mappingMediaErrors { () throws(MediaError) in try media.setProducerPaused(producer.key, isPaused) }
        return .now(.done, then: state.producerPauseChanged(id, isPaused))
    }

    private func setConsumerPaused(
        _ id: ConsumerID, _ isPaused: Bool, from session: PeerSession
    ) throws(RoomError) -> Outcome {
        let wasPaused = try state.consumer(id, of: session).consumer.isPaused
        state.consumerPauseChanged(id, isPaused)
        do {
            try updateConsumer(id)
        } catch {
            state.consumerPauseChanged(id, wasPaused)
            throw RoomError(error)
        }
        return .now(.done, then: [])
    }

    private func setConsumerPreferredLayers(
        _ request: SetConsumerPreferredLayersRequest, from session: PeerSession
    ) throws(RoomError) -> Outcome {
        let consumer = try state.consumer(request.consumerID, of: session).consumer
        // There is nothing to choose from, and mediasoup says so to nobody.
        guard consumer.type != .simple else { return .now(.done, then: []) }
        state.consumerPreferenceChanged(consumer.id, request.layers)
        do {
            try updateConsumer(consumer.id)
        } catch {
            state.consumerPreferenceChanged(consumer.id, consumer.preferredLayers)
            throw RoomError(error)
        }
        return .now(.done, then: [])
    }

    private func setConsumerPriority(
        _ request: SetConsumerPriorityRequest, from session: PeerSession
    ) throws(RoomError) -> Outcome {
        let consumer = try state.consumer(request.consumerID, of: session).consumer
        state.consumerPriorityChanged(consumer.id, request.priority)
        do {
            try updateConsumer(consumer.id)
        } catch {
            state.consumerPriorityChanged(consumer.id, consumer.priority)
            throw RoomError(error)
        }
        return .now(.done, then: [])
    }

    private func switchProducer(_ request: SwitchProducerRequest, from session: PeerSession) throws(RoomError)
        -> Outcome
    {
        let (consumer, producer) = try state.consumerSwitching(request, from: session)
        if consumer.producerID != producer.id, let key = consumer.key {
            try mappingMediaErrors { () throws(MediaError) in
                try media.switchProducer(of: key, to: producer.key, SourceSettings(producer))
            }
        }
        let (description, actions) = state.consumerSwitched(consumer, to: producer)
        return .now(.consumer(description), then: actions)
    }
}
