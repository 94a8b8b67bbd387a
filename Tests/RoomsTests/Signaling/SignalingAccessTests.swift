import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

/// Every request of signaling, with every set of permissions, for objects of one's own and of others.
@Suite(.timeLimit(.minutes(15))) struct SignalingAccessTests {
    /// What a request names that belongs to somebody.
    private enum Subject {
        case nothing, transport, producer, consumer, dataProducer, dataConsumer
    }

    /// The objects of one peer.
    private struct Objects {
        var transport: TransportID
        var producer: ProducerID
        var consumer: ConsumerID
        var dataProducer = DataProducerID("none")
        var dataConsumer = DataConsumerID("none")
    }

    /// Of a new request the compiler asks here what it is about and what it takes.
    private static func needs(_ request: SignalingRequest) -> (Subject, PeerPermissions) {
        switch request {
        case .getRouterRtpCapabilities, .join, .createWebRtcTransport, .createPlainTransport, .getProducers, .getPeers,
            .changeDisplayName, .applyNetworkThrottle, .resetNetworkThrottle:
            (.nothing, [])
        case .sendDataMessage: (.nothing, .data)
        case .produceData: (.transport, .data)
        case .consumeData: (.transport, .subscribe)
        case .closeDataProducer, .pauseDataProducer, .resumeDataProducer, .getDataProducerStats: (.dataProducer, [])
        case .closeDataConsumer, .pauseDataConsumer, .resumeDataConsumer, .setDataConsumerSubchannels,
            .setBufferedAmountLowThreshold, .getDataConsumerStats:
            (.dataConsumer, [])
        case .connectWebRtcTransport, .connectPlainTransport, .restartIce, .getTransportStats: (.transport, [])
        case .produce: (.transport, .publish)
        case .consume: (.transport, .subscribe)
        case .closeProducer, .pauseProducer, .getProducerStats: (.producer, [])
        case .resumeProducer: (.producer, .publish)
        case .pauseConsumer, .resumeConsumer, .closeConsumer, .setConsumerPreferredLayers, .setConsumerPriority,
            .requestConsumerKeyFrame, .getConsumerStats:
            (.consumer, [])
        case .switchProducer: (.consumer, .subscribe)
        }
    }

    private static func everything(_ objects: Objects, _ scene: Scene) throws -> [SignalingRequest] {
        let published = scene.published
        let (transport, producer, consumer) = (objects.transport, objects.producer, objects.consumer)
        let fingerprints = RemoteDTLSParameters(fingerprints: [clientFingerprint])
        return [
            .getRouterRtpCapabilities, .join(JoinRequest(displayName: "again")),
            .createWebRtcTransport(.init(producing: true, consuming: true)),
            .connectWebRtcTransport(.init(transportID: transport, dtlsParameters: fingerprints)),
            .createPlainTransport(.init()),
            .connectPlainTransport(.init(transportID: transport)),
            .restartIce(transport),
            .produce(.init(transportID: transport, kind: .audio, rtpParameters: audioParameters(ssrc: 9, mid: "9"))),
            .pauseProducer(producer), .resumeProducer(producer), .pauseConsumer(consumer), .resumeConsumer(consumer),
            .consume(
                .init(transportID: transport, producerID: published, rtpCapabilities: receiverCapabilities)),
            .getProducers, .getPeers,
            .setConsumerPreferredLayers(
                .init(consumerID: consumer, layers: .init(spatialLayer: 0, temporalLayer: nil))),
            .setConsumerPriority(.init(consumerID: consumer, priority: 2)), .requestConsumerKeyFrame(consumer),
            .switchProducer(.init(consumerID: consumer, producerID: published)),
            .produceData(
                .init(transportID: transport, streamParameters: SCTPStreamParameters(streamID: 7), label: "chat")),
            .consumeData(.init(transportID: transport, dataProducerID: scene.publishedData)),
            .sendDataMessage(.init(label: "chat", message: "hello")),
            .pauseDataProducer(objects.dataProducer), .resumeDataProducer(objects.dataProducer),
            .pauseDataConsumer(objects.dataConsumer), .resumeDataConsumer(objects.dataConsumer),
            .setDataConsumerSubchannels(
                try .init(JSONReader(json(#"{"dataConsumerId":"\#(objects.dataConsumer)","subchannels":[1]}"#)))),
            .setBufferedAmountLowThreshold(
                try .init(JSONReader(json(#"{"dataConsumerId":"\#(objects.dataConsumer)","threshold":1}"#)))),
            .changeDisplayName("Somebody"), .getTransportStats(transport), .getProducerStats(producer),
            .getConsumerStats(consumer), .getDataProducerStats(objects.dataProducer),
            .getDataConsumerStats(objects.dataConsumer), .applyNetworkThrottle, .resetNetworkThrottle,
            .closeConsumer(consumer), .closeProducer(producer), .closeDataConsumer(objects.dataConsumer),
            .closeDataProducer(objects.dataProducer),
        ]
    }

    /// A room in which Ann publishes and Bob and Eve each have one of everything, as far as they may.
    private struct Scene {
        let fixture: RoomFixture
        let eve: ConnectedPeer
        let eves: Objects
        let bobs: Objects
        let published: ProducerID
        let publishedData: DataProducerID

        init(_ permissions: PeerPermissions) async throws {
            fixture = try RoomFixture()
            let ann = try await fixture.join("ann")
            published = try await ann.produce(.video, simulcastParameters())
            _ = try await ann.makeTransport(producing: true, consuming: true, dataChannels: DataChannelsRequest())
            publishedData = try await ann.produceData("chat", on: ann.last)
            (_, bobs) = try await Self.peer("bob", .all, fixture, published, publishedData, ssrc: 21)
            (eve, eves) = try await Self.peer("eve", permissions, fixture, published, publishedData, ssrc: 22)
        }

        private static func peer(
            _ name: String, _ permissions: PeerPermissions, _ fixture: RoomFixture, _ published: ProducerID,
            _ publishedData: DataProducerID, ssrc: UInt32
        ) async throws -> (ConnectedPeer, Objects) {
            let client = RecordingClient()
            let (room, session) = try await fixture.registry.connect(
                PeerID(name), to: RoomID("room"), grant: PeerGrant(permissions: permissions), through: client)
            let peer = ConnectedPeer(room: room, session: session, client: client)
            _ = try await peer.makeTransport(producing: true, consuming: true, dataChannels: DataChannelsRequest())
            try await peer.request(
                .join(JoinRequest(displayName: name, rtpCapabilities: receiverCapabilities, consumesOnRequest: true)))
            var objects = Objects(
                transport: peer.sending, producer: ProducerID("none"), consumer: ConsumerID("none"))
            if permissions.contains(.publish) {
                objects.producer = try await peer.produce(.audio, audioParameters(ssrc: ssrc))
            }
            let consume = ConsumeRequest(
                transportID: peer.sending, producerID: published, rtpCapabilities: receiverCapabilities)
            if permissions.contains(.subscribe),
                case .consumer(let consumer) = try await peer.request(.consume(consume))
            {
                objects.consumer = consumer.id
            }
            if permissions.contains(.data) {
                objects.dataProducer = try await peer.produceData("chat", on: peer.sending)
            }
            let consumeData = ConsumeDataRequest(transportID: peer.sending, dataProducerID: publishedData)
            if permissions.contains(.subscribe),
                case .dataConsumer(let consumer) = try await peer.request(.consumeData(consumeData))
            {
                objects.dataConsumer = consumer.id
            }
            return (peer, objects)
        }
    }

    private static let permissions: [PeerPermissions] = [
        [], .publish, .subscribe, .data, [.publish, .subscribe], [.publish, .data], [.subscribe, .data], .all,
    ]

    private static func code(_ scene: Scene, _ request: SignalingRequest) async -> RoomError.Code? {
        do throws(RoomError) {
            _ = try await scene.eve.room.request(request, from: scene.eve.session)
            return nil
        } catch {
            return error.code
        }
    }

    @Test(arguments: permissions)
    func `nobody reaches what belongs to others, by any request, whatever is permitted`(
        _ permissions: PeerPermissions
    ) async throws {
        let scene = try await Scene(permissions)
        for request in try Self.everything(scene.bobs, scene) {
            let (subject, _) = Self.needs(request)
            let expected: Set<RoomError.Code>
            switch subject {
            case .nothing: continue
            case .transport: expected = [.transportNotFound, .forbidden]
            case .producer: expected = [.producerNotFound, .forbidden]
            case .consumer: expected = [.consumerNotFound, .forbidden]
            case .dataProducer: expected = [.dataProducerNotFound]
            case .dataConsumer: expected = [.dataConsumerNotFound]
            }
            let before = scene.fixture.registry.events.count
            let code = await Self.code(scene, request)
            #expect(code.map(expected.contains) == true, "\(request): \(code.map { "\($0)" } ?? "carried out")")
            #expect(scene.fixture.registry.events.count == before, "\(request)")
        }
    }

    @Test(arguments: permissions)
    func `what needs a permission is forbidden without it, and all else is not`(
        _ permissions: PeerPermissions
    ) async throws {
        let scene = try await Scene(permissions)
        for request in try Self.everything(scene.eves, scene) {
            let (_, needed) = Self.needs(request)
            let isNobodys: Bool
            switch request {
            case .applyNetworkThrottle, .resetNetworkThrottle: isNobodys = true
            default: isNobodys = false
            }
            let isForbidden = await Self.code(scene, request) == .forbidden
            let isExpected = isNobodys || !permissions.isSuperset(of: needed)
            // Switching a consumer takes having one, which takes the permission.
            if case .switchProducer = request, !permissions.contains(.subscribe) { continue }
            #expect(isForbidden == isExpected, "\(request)")
        }
    }

    @Test func `the list of requests has each once, as many as there are`() async throws {
        let scene = try await Scene(.all)
        let names = try Self.everything(scene.eves, scene).map { "\($0)".prefix { $0 != "(" } }
        #expect(Set(names).count == names.count && names.count == 40)
    }
}
