import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

extension RecordingPlane {
    var producerKeys: [ProducerKey] {
        commands.compactMap { if case .openProducer(let key, _, _) = $0 { key } else { nil } }
    }

    var consumerKeys: [ConsumerKey] {
        commands.compactMap { if case .openConsumer(let key, _, _, _) = $0 { key } else { nil } }
    }

    var consumerSettings: [ConsumerSettings] {
        commands.compactMap { if case .openConsumer(_, _, _, let settings) = $0 { settings } else { nil } }
    }

    var transportSettings: [TransportSettings] {
        commands.compactMap { if case .openTransport(_, let settings, _) = $0 { settings } else { nil } }
    }

    /// What consumers were switched to.
    var switchedSources: [SourceSettings] {
        commands.compactMap { if case .switchProducer(_, _, let source) = $0 { source } else { nil } }
    }

    var preferredLayers: [ConsumerLayers] {
        commands.compactMap { if case .setConsumerPreferredLayers(_, let layers) = $0 { layers } else { nil } }
    }
}

extension ServerNotification {
    fileprivate var consumerScore: ConsumerScore? {
        if case .consumerScore(_, let score) = self { score } else { nil }
    }
}

extension SignalingResponse {
    fileprivate var consumer: NewConsumerRequest? { if case .consumer(let consumer) = self { consumer } else { nil } }
}

/// Layers, scores and switching: Alice and Carol send, Bob receives.
@Suite(.timeLimit(.minutes(15))) struct LayersTests {
    private let fixture: RoomFixture
    private let alice: ConnectedPeer
    private let bob: ConnectedPeer

    init() async throws {
        fixture = try RoomFixture()
        alice = try await fixture.join("alice")
        bob = try await fixture.join("bob")
    }

    /// Alice's producer and Bob's accepted consumer of it.
    private func call(
        _ kind: MediaKind = .video, _ parameters: RTPParameters = simulcastParameters(), by sender: ConnectedPeer? = nil
    ) async throws -> (producer: ProducerID, consumer: NewConsumerRequest) {
        let producer = try await (sender ?? alice).produce(kind, parameters)
        let offer = try #require(bob.client.offers.last)
        await bob.answer(.accepted)
        return (producer, offer)
    }

    private func prefer(_ id: ConsumerID, _ spatial: Int, _ temporal: Int? = nil) async throws {
        try await bob.request(
            .setConsumerPreferredLayers(
                .init(consumerID: id, layers: PreferredLayers(spatialLayer: spatial, temporalLayer: temporal))))
    }

    private func happened(_ event: MediaEvent) async {
        await alice.room.events.append(event)
        await alice.room.drain()
    }

    @Test func `the media plane learns the layers from the parameters`() async throws {
        _ = try await call()
        var svc = simulcastParameters(mid: "2")
        svc.encodings = [RTPEncodingParameters(ssrc: 5, dtx: true, scalabilityMode: "L3T2_KEY")]
        svc.codecs[0].mimeType = "video/VP9"
        _ = try await alice.produce(.video, svc)
        let settings = fixture.plane.commands.compactMap { command -> ScalabilitySettings? in
            if case .openProducer(_, _, let settings) = command { settings.scalability } else { nil }
        }
        #expect(
            settings == [
                ScalabilitySettings(temporalLayers: 3),
                ScalabilitySettings(spatialLayers: 3, temporalLayers: 2, isKSVC: true, usesDTX: true),
            ])
        let consumer = try #require(fixture.plane.consumerSettings.first)
        #expect(consumer.scalability == settings[0] && consumer.ignoresDTX && consumer.preferredLayers == nil)
        var quiet = audioParameters()
        quiet.codecs[0].parameters["usedtx"] = .integer(1)
        #expect(ScalabilitySettings(quiet).usesDTX)
    }

    @Test func `preferred layers are reported, as far as there are any`() async throws {
        let consumer = try await call().consumer.id
        try await prefer(consumer, 1, 0)
        try await prefer(consumer, 1, 0)
        try await prefer(consumer, 0)
        try await prefer(consumer, 9, 9)
        #expect(
            fixture.plane.preferredLayers == [
                ConsumerLayers(spatial: 1, temporal: 0), ConsumerLayers(spatial: 0, temporal: 2),
                ConsumerLayers(spatial: 2, temporal: 2),
            ])
        let audio = try await call(.audio, audioParameters()).consumer.id
        try await prefer(audio, 1, 1)
        #expect(fixture.plane.preferredLayers.count == 3, "there is nothing to choose from")
        await expectRefusal(.consumerNotFound) { try await prefer(ConsumerID("x"), 0) }
    }

    @Test func `a publisher that wants to know learns how many of its encodings anybody asks for`() async throws {
        let eve = try await fixture.join("eve") { $0.getsEncodingUse = true }
        func news() -> [Int] {
            eve.client.notifications.compactMap { notification in
                if case .producerEncodingsUsed(_, let count) = notification { count } else { nil }
            }
        }
        let (producer, offer) = try await call(.video, simulcastParameters(), by: eve)
        #expect(news().isEmpty, "everybody may ask for everything")
        try await prefer(offer.id, 0)
        #expect(news().isEmpty, "Alice has not answered, and may want all of it")
        await alice.answer(.rejected)
        #expect(news() == [1])
        try await prefer(offer.id, 1, 0)
        try await prefer(offer.id, 1, 2)
        try await prefer(offer.id, 9)
        #expect(news() == [1, 2, 3])
        try await bob.request(.pauseConsumer(offer.id))
        #expect(news() == [1, 2, 3, 1])
        try await bob.request(.resumeConsumer(offer.id))
        #expect(news() == [1, 2, 3, 1, 3])
        // One that is pointed elsewhere counts there, and who leaves counts nowhere.
        let other = try await eve.produce(.video, simulcastParameters(mid: "2"))
        await bob.answer(.rejected)
        await alice.answer(.rejected)
        try await bob.request(.switchProducer(.init(consumerID: offer.id, producerID: other)))
        let last = eve.client.notifications.compactMap { notification -> String? in
            guard case .producerEncodingsUsed(let id, let count) = notification else { return nil }
            return "\(id == producer ? "first" : "other") \(count)"
        }
        #expect(last.suffix(3).sorted() == ["first 1", "other 1", "other 3"])
        await bob.room.left(bob.session)
        #expect(news().last == 1)
        // Others hear nothing of it, and neither do those who have not asked.
        _ = try await alice.produce(.video, simulcastParameters(mid: "3"))
        let rest = [alice, bob].flatMap(\.client.notifications)
        #expect(!rest.contains { if case .producerEncodingsUsed = $0 { true } else { false } })
    }

    @Test func `bitrates of one transport are changed, as far as they can be`() async throws {
        let (room, id) = (bob.room, bob.receiving)
        await expectRefusal(.wrongState) { try await room.changeBitrates(of: id) { $0.maximumOutgoing = 300_000 } }
        #expect(try await room.changeBitrates(of: id) { $0.maximumIncoming = 300_000 })
        #expect(try await !room.changeBitrates(of: TransportID("x")) { $0.maximumIncoming = 300_000 })
        var configuration = RoomConfiguration()
        configuration.outgoingLimits = BitrateLimits(start: 700_000, maximum: 2_000_000)
        let estimating = try RoomFixture(configuration: configuration)
        let carol = try await estimating.join("carol")
        let wrong: [(RoomError.Code, @Sendable (inout TransportBitrates) -> Void)] = [
            (.invalidParameters, { $0.maximumOutgoing = 29_999 }), (.invalidParameters, { $0.minimumOutgoing = 1 }),
            (.wrongState, { $0.minimumOutgoing = 2_000_001 }),
        ]
        for (code, change) in wrong {
            await expectRefusal(code) { try await carol.room.changeBitrates(of: carol.receiving, change) }
        }
        #expect(try await carol.room.changeBitrates(of: carol.receiving) { $0.minimumOutgoing = 100_000 })
        let sent = estimating.plane.commands.compactMap { command -> BitrateLimits? in
            if case .setBitrateLimits(_, let limits, _) = command { limits } else { nil }
        }
        #expect(sent == [BitrateLimits(start: 700_000, minimum: 100_000, maximum: 2_000_000)])
        let snapshot = await carol.room.snapshot(withStatistics: false)
        let transport = try #require(snapshot.peers.first?.transports.first { $0.id == carol.receiving })
        #expect(transport.bitrates.minimumOutgoing == 100_000 && transport.bitrates.maximumOutgoing == 2_000_000)
    }

    @Test func `layers a busy media plane refused are not kept`() async throws {
        let consumer = try await call().consumer.id
        fixture.plane.setFull(true)
        await expectRefusal(.overloaded) { try await prefer(consumer, 0) }
        fixture.plane.setFull(false)
        try await bob.request(.pauseConsumer(consumer))
        #expect(fixture.plane.preferredLayers.isEmpty)
    }

    @Test func `a consumer on request starts with the layers it asks for`() async throws {
        let producer = try await call().producer
        var request = ConsumeRequest(
            transportID: bob.receiving, producerID: producer, rtpCapabilities: receiverCapabilities)
        request.preferredLayers = PreferredLayers(spatialLayer: 1)
        request.enableRTX = false
        try await bob.request(.consume(request))
        let settings = try #require(fixture.plane.consumerSettings.last)
        #expect(settings.preferredLayers == ConsumerLayers(spatial: 1, temporal: 2))
        #expect(settings.rtxSSRC == nil && !settings.ignoresDTX)
        #expect(fixture.plane.preferredLayers.isEmpty)
    }

    @Test(arguments: [
        ("setConsumerPriority", #"{"consumerId":"c","priority":0}"#),
        ("setConsumerPriority", #"{"consumerId":"c","priority":256}"#),
        ("setConsumerPriority", #"{"consumerId":"c"}"#),
        ("setConsumerPreferredLayers", #"{"consumerId":"c","spatialLayer":-1}"#),
        ("setConsumerPreferredLayers", #"{"consumerId":"c","spatialLayer":0,"temporalLayer":-2}"#),
        ("switchProducer", #"{"consumerId":"c"}"#),
        ("switchProducer", #"{"consumerId":"c","producerId":7}"#),
    ])
    func `fields out of range are refused`(method: String, data: String) throws {
        #expect { try SignalingRequest(method: method, data: try json(data)) } throws: {
            ($0 as? RoomError)?.code == .invalidRequest
        }
    }

    @Test func `a priority is kept`() async throws {
        let consumer = try await call().consumer.id
        try await bob.request(.setConsumerPriority(.init(consumerID: consumer, priority: 7)))
        #expect(await bob.room.state.consumers[consumer]?.priority == 7)
    }

    // MARK: Another producer

    @Test func `a consumer goes on with another producer, and ends with that one`() async throws {
        let carol = try await fixture.join("carol")
        let (first, consumer) = try await call()
        let second = try await call(by: carol).producer
        try await prefer(consumer.id, 1)
        try await carol.request(.pauseProducer(second))
        fixture.plane.forget()
        let request = SwitchProducerRequest(consumerID: consumer.id, producerID: second)
        let switched = try #require(try await bob.request(.switchProducer(request)).consumer)
        #expect(switched.id == consumer.id && switched.producerID == second && switched.isProducerPaused)
        #expect(switched.peerID == PeerID("carol") && switched.rtpParameters == consumer.rtpParameters)
        #expect(fixture.plane.names == ["switchProducer", "setConsumerPreferredLayers"])
        let source = try #require(fixture.plane.switchedSources.first)
        #expect(source.encodings.count == 3 && source.isProducerPaused && source.scalability.temporalLayers == 3)
        #expect(source.encodings != fixture.plane.consumerSettings.first?.encodings)
        bob.client.forget()
        fixture.plane.forget()
        try await bob.request(.switchProducer(request))
        #expect(fixture.plane.names.isEmpty, "it is there already")
        try await alice.request(.closeProducer(first))
        #expect(!bob.client.log.contains("consumerClosed"))
        try await carol.request(.resumeProducer(second))
        #expect(fixture.plane.names.count { $0 == "setConsumerProducerPaused" } == 3, "Bob's two, and Alice's one")
        try await carol.request(.closeProducer(second))
        #expect(bob.client.log.count { $0 == "consumerClosed" } == 2, "Bob had two consumers of it")
    }

    @Test func `another kind or codec, and what nobody sends, is refused`() async throws {
        let consumer = try await call().consumer.id
        let audio = try await alice.produce(.audio, audioParameters())
        var other = simulcastParameters(mid: "7")
        other.codecs[0].mimeType = "video/AV1"
        let film = try await alice.produce(.video, other)
        fixture.plane.forget()
        for (producer, code) in [
            (audio, RoomError.Code.unsupported), (film, .unsupported), (ProducerID("x"), .producerNotFound),
        ] {
            await expectRefusal(code) {
                try await bob.request(.switchProducer(.init(consumerID: consumer, producerID: producer)))
            }
        }
        await expectRefusal(.consumerNotFound) {
            try await alice.request(.switchProducer(.init(consumerID: consumer, producerID: audio)))
        }
        #expect(fixture.plane.names.isEmpty)
    }

    @Test func `a switch the busy media plane refuses changes nothing`() async throws {
        let carol = try await fixture.join("carol")
        let (first, consumer) = try await call()
        let second = try await call(by: carol).producer
        fixture.plane.setFull(true)
        await expectRefusal(.overloaded) {
            try await bob.request(.switchProducer(.init(consumerID: consumer.id, producerID: second)))
        }
        #expect(await bob.room.state.consumers[consumer.id]?.producerID == first)
        #expect(await bob.room.state.producers[first]?.consumerIDs.contains(consumer.id) == true)
    }

    // MARK: What the media plane tells

    @Test func `what a client's network carries is for that client alone`() async throws {
        let transport = try #require(await bob.room.state.transports[bob.receiving]?.key)
        alice.client.forget()
        bob.client.forget()
        let report = BandwidthReport(available: 300_000, desired: 500_000, allocated: 200_000)
        await happened(.bandwidthReported(transport, report))
        #expect(bob.client.log == ["downlinkBwe"] && alice.client.log.isEmpty)
        #expect(
            bob.client.notifications.last?.json.text
                == #"{"availableBitrate":300000,"desiredBitrate":500000,"effectiveDesiredBitrate":200000}"#)
    }

    @Test func `layers that change are reported once, with the score of the layer`() async throws {
        let consumer = try await call().consumer.id
        let key = fixture.plane.consumerKeys[0]
        let streams = (0..<3).map { EncodingScore(encoding: $0, ssrc: SSRC(UInt32($0)), rid: "r\($0)", score: 10) }
        await happened(.producerScoreChanged(fixture.plane.producerKeys[0], streams.dropLast()))
        bob.client.forget()
        await happened(.consumerLayersChanged(key, ConsumerLayers(spatial: 1, temporal: 2), .budget))
        await happened(.consumerLayersChanged(key, ConsumerLayers(spatial: 1, temporal: 2), .budget))
        await happened(.consumerLayersChanged(key, nil))
        #expect(
            bob.client.log == [
                "consumerLayersChanged", "consumerScore", "consumerLayersChanged", "consumerScore",
            ])
        let told = bob.client.notifications.map(\.json.text)
        #expect(told[0] == #"{"consumerId":"\#(consumer)","reason":"budget","spatialLayer":1,"temporalLayer":2}"#)
        #expect(told[2] == #"{"consumerId":"\#(consumer)","spatialLayer":null,"temporalLayer":null}"#)
        let scores = bob.client.notifications.compactMap { notification -> ConsumerScore? in
            if case .consumerScore(_, let score) = notification { score } else { nil }
        }
        #expect(scores.map(\.producerScore) == [10, 0])
        #expect(scores.map(\.producerScores) == [[10, 10, 0], [10, 10, 0]])
    }

    @Test func `scores reach the sender and its receivers, also those who come later`() async throws {
        let (producer, consumer) = try await call(.audio, audioParameters())
        let key = fixture.plane.producerKeys[0]
        bob.client.forget()
        alice.client.forget()
        let score = EncodingScore(encoding: 0, ssrc: SSRC(1111), score: 4)
        await happened(.producerScoreChanged(key, [score]))
        await happened(.producerScoreChanged(key, [score]))
        await happened(.consumerScoreChanged(fixture.plane.consumerKeys[0], score: 7))
        #expect(alice.client.log == ["producerScore"])
        let told = ProducerScore(encodingIndex: 0, ssrc: 1111, rid: nil, score: 4)
        guard case .producerScore(producer, [told])? = alice.client.notifications.first else {
            Issue.record("\(alice.client.notifications)")
            return
        }
        #expect(
            bob.client.notifications.map(\.json.text)
                == [10, 7].map {
                    #"{"consumerId":"\#(consumer.id)","score":{"producerScore":4,"producerScores":[4],"score":\#($0)}}"#
                })
        let dora = try await fixture.join("dora")
        await dora.answer(.accepted)
        #expect(
            dora.client.notifications.last?.consumerScore
                == ConsumerScore(score: 10, producerScore: 4, producerScores: [4]))
    }

    @Test func `what the media plane reports of closed objects is ignored`() async throws {
        let (producer, _) = try await call()
        try await alice.request(.closeProducer(producer))
        bob.client.forget()
        await happened(.producerScoreChanged(fixture.plane.producerKeys[0], []))
        await happened(.consumerScoreChanged(fixture.plane.consumerKeys[0], score: 1))
        await happened(.consumerLayersChanged(fixture.plane.consumerKeys[0], nil))
        #expect(bob.client.log.isEmpty)
        #expect(await bob.room.state.producerIDs.isEmpty)
        #expect(await bob.room.state.consumerIDs.isEmpty)
    }
}
