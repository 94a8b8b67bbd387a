// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

    /// One participant of a test: a peer, its transport on the media plane, and the events that came of it.
    final class VirtualMember {
        let peer: VirtualPeer
        let handle: MediaHandle
        let transport: TransportKey
        let credentials: ICECredentials
        private let queue: EventQueue
        private var drained: [MediaEvent] = []

        /// Opens a transport for a peer; nothing is connected yet.
        init(
            _ peer: VirtualPeer, on handle: MediaHandle, consentTimeout: MediaDuration = .seconds(30),
            limits: BitrateLimits? = nil, maximumIncoming: UInt64? = nil, data: DataTransportSettings? = nil,
            events: EventQueue = EventQueue {}
        ) throws {
            self.peer = peer
            self.handle = handle
            queue = events
            let random = ICECredentials.random(using: &peer.random)
            transport = try handle.openTransport(
                TransportSettings(
                    iceCredentials: random, consentTimeout: consentTimeout, limits: limits,
                    maximumIncoming: maximumIncoming, data: data),
                events: queue)
            credentials = handle.credentials(random, of: transport)
        }

        /// Signaling's part of connecting.
        /// - Parameter socket: which of the shard's addresses the peer uses.
        func connect(
            socket: Int = 0, serverRole: DTLSRole? = nil, fingerprint: DTLSFingerprint? = nil, tellsServer: Bool = true
        ) throws {
            if tellsServer { try tellServer(role: serverRole, fingerprint: fingerprint) }
            let candidate = handle.endpoints[transport.shard].addresses[socket]
            guard let address = IPAddressPort(text: candidate.address, port: candidate.port),
                let serverFingerprint = handle.fingerprints.first(where: { $0.algorithm == .sha256 })
            else { throw MediaError(.invalidSetting, "no usable candidate") }
            peer.connect(to: .init(credentials: credentials, address: address, fingerprint: serverFingerprint))
        }

        func tellServer(role: DTLSRole? = nil, fingerprint: DTLSFingerprint? = nil) throws {
            try handle.connectTransport(
                transport, role: role ?? (peer.dtlsRole == .client ? .server : .client),
                remoteFingerprint: fingerprint ?? peer.fingerprint)
        }

        @discardableResult
        func publish(
            _ track: PublishedTrack, change: (inout ProducerSettings) -> Void = { _ in }
        ) throws -> (key: ProducerKey, settings: ProducerSettings) {
            var settings = ClientCodecs.producerSettings(of: track)
            change(&settings)
            let key = try handle.openProducer(settings, on: transport)
            track.producer = key
            return (key, settings)
        }

        /// A consumer of another member's track.
        func subscribe(
            to track: PublishedTrack, isPaused: Bool = false, usesRTX: Bool = true,
            change: (inout ConsumerSettings) -> Void = { _ in }
        ) throws -> SubscribedStream {
            guard let producer = track.producer else { throw MediaError(.notFound, "the track is not published") }
            let ssrc = peer.makeSSRC()
            let rtx = track.kind == .video && usesRTX ? peer.makeSSRC() : nil
            let mid = "c\(peer.subscriptions.count)"
            var settings = ClientCodecs.consumerSettings(
                of: ClientCodecs.producerSettings(of: track), ssrc: ssrc, rtxSSRC: rtx, mid: mid, isPaused: isPaused)
            change(&settings)
            let stream = SubscribedStream(
                ssrc: ssrc, rtxSSRC: rtx, kind: track.kind, mid: mid, producer: producer, codec: track.codec)
            stream.consumer = try handle.openConsumer(settings, of: producer, on: transport)
            peer.add(stream)
            return stream
        }

        func unsubscribe(_ stream: SubscribedStream) {
            if let consumer = stream.consumer { handle.closeConsumer(consumer) }
            peer.remove(stream)
        }

        func leave() { handle.closeTransport(transport) }

        /// Every event so far, oldest first.
        var events: [MediaEvent] {
            drained.append(contentsOf: queue.drain().events)
            return drained
        }

        var iceStates: [ICEState] {
            events.compactMap { if case .iceStateChanged(_, let state, _) = $0 { state } else { nil } }
        }

        var selectedTuples: [TransportTuple?] {
            events.compactMap { if case .iceStateChanged(_, _, let tuple) = $0 { .some(tuple) } else { nil } }
        }

        /// The transports that took the last tuple of this one.
        var successors: [TransportKey] {
            events.compactMap { if case .transportSuperseded(_, let successor) = $0 { successor } else { nil } }
        }

        var dtlsStates: [DTLSState] {
            events.compactMap { if case .dtlsStateChanged(_, let state) = $0 { state } else { nil } }
        }

        /// The layers that a consumer was reported to get, in order.
        func layers(of stream: SubscribedStream) -> [ConsumerLayers?] {
            events.compactMap { event in
                if case .consumerLayersChanged(stream.consumer, let layers, _) = event { .some(layers) } else { nil }
            }
        }

        /// The highest layers that a consumer of ours gets.
        func prefer(_ spatial: UInt8, _ temporal: UInt8, of stream: SubscribedStream) throws {
            guard let consumer = stream.consumer else { throw MediaError(.notFound, "no consumer") }
            try handle.setConsumerPreferredLayers(consumer, ConsumerLayers(spatial: spatial, temporal: temporal))
        }

        /// Points a consumer of ours at another member's track.
        func switchSource(of stream: SubscribedStream, to track: PublishedTrack) throws {
            guard let consumer = stream.consumer, let producer = track.producer else {
                throw MediaError(.notFound, "no consumer or no producer")
            }
            try handle.switchProducer(of: consumer, to: producer, ClientCodecs.sourceSettings(of: track))
        }

        /// What was reported of data producers and consumers.
        var dataEvents: [DataEvent] {
            events.compactMap { if case .data(let event) = $0 { event } else { nil } }
        }

        var sctpStates: [SCTPConnectionState] {
            events.compactMap { if case .sctpStateChanged(_, let state) = $0 { state } else { nil } }
        }

        var failures: [MediaError] {
            events.compactMap { if case .commandFailed(_, let error) = $0 { error } else { nil } }
        }

        /// The newest snapshot in the events.
        var statistics: TransportStatistics? {
            events.reversed().lazy.compactMap { event -> TransportStatistics? in
                if case .statistics(_, let list) = event { list.first { $0.key == self.transport } } else { nil }
            }.first
        }

        func collectStatistics() throws { _ = try handle.collectStatistics(token: 1, of: [transport], events: queue) }
    }
#endif
