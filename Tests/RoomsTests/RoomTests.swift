import Synchronization
import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

extension SignalingResponse {
    fileprivate var iceParameters: ICEParameters? {
        if case .iceParameters(let parameters) = self { parameters } else { nil }
    }
}

@Suite(.timeLimit(.minutes(15))) struct RoomTests {
    @Test func `two peers exchange media over the media plane`() async throws {
        let fixture = try RoomFixture(shards: 2)
        let alice = try await fixture.join("alice")
        let bob = try await fixture.join("bob")
        _ = try await alice.request(
            .connectWebRtcTransport(
                .init(
                    transportID: alice.sending, dtlsParameters: .init(role: .client, fingerprints: [clientFingerprint]))
            ))
        fixture.plane.forget()
        let producer = try await alice.produce(.video, simulcastParameters())
        #expect(fixture.plane.names == ["openProducer", "openConsumer"])
        let offer = try #require(bob.client.offers.first)
        #expect(offer.producerID == producer)
        #expect(offer.type == .simulcast)
        await bob.answer(.accepted)
        #expect(fixture.plane.names == ["openProducer", "openConsumer", "setConsumerPaused"])
        if case .setConsumerPaused(_, let isPaused) = fixture.plane.commands[2] { #expect(!isPaused) }
        #expect(bob.client.log.suffix(2) == ["newConsumer", "consumerScore"])
        try await bob.request(.requestConsumerKeyFrame(offer.id))
        try await bob.request(.pauseConsumer(offer.id))
        try await bob.request(.pauseConsumer(offer.id))
        try await bob.request(.resumeConsumer(offer.id))
        try await alice.request(.pauseProducer(producer))
        #expect(
            fixture.plane.names.dropFirst(3) == [
                "requestKeyFrame", "setConsumerPaused", "setConsumerPaused", "setProducerPaused",
                "setConsumerProducerPaused",
            ])
        try await alice.request(.closeProducer(producer))
        #expect(fixture.plane.names.suffix(2) == ["closeConsumer", "closeProducer"])
        #expect(bob.client.log.suffix(2) == ["consumerPaused", "consumerClosed"])
        await expectRefusal(.consumerNotFound) { try await bob.request(.pauseConsumer(offer.id)) }
        await expectRefusal(.producerNotFound) { try await alice.request(.pauseProducer(producer)) }
    }

    @Test func `a transport is described with its shard's candidates`() async throws {
        let fixture = try RoomFixture(shards: 2)
        let alice = try await fixture.connect("alice")
        let first = try await alice.makeTransport(producing: true, consuming: false)
        let second = try await alice.makeTransport(producing: false, consuming: true)
        #expect(first.iceCandidates.map(\.port) == [40000])
        #expect(second.iceCandidates.map(\.port) == [40001])
        #expect(first.iceParameters.usernameFragment != second.iceParameters.usernameFragment)
        let settings = try #require(fixture.plane.transportSettings.first)
        #expect(settings.iceCredentials.usernameFragment == first.iceParameters.usernameFragment)
        #expect(settings.consentTimeout == .seconds(30))
        let restarted = try #require(try await alice.request(.restartIce(first.id)).iceParameters)
        #expect(restarted != first.iceParameters)
    }

    @Test func `requests in the wrong order or for unknown things are refused`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.connect("alice")
        let unknown = TransportID("nothing")
        let connect = ConnectWebRtcTransportRequest(
            transportID: unknown, dtlsParameters: .init(fingerprints: [clientFingerprint]))
        await expectRefusal(.transportNotFound) { try await alice.request(.connectWebRtcTransport(connect)) }
        await expectRefusal(.transportNotFound) { try await alice.request(.restartIce(unknown)) }
        await expectRefusal(.transportNotFound) { try await alice.request(.getTransportStats(unknown)) }
        try await alice.makeTransports()
        await expectRefusal(.peerNotJoined) { try await alice.produce(.audio, audioParameters()) }
        try await alice.request(.join(JoinRequest(displayName: "A")))
        await expectRefusal(.peerAlreadyJoined) { try await alice.request(.join(JoinRequest(displayName: "A"))) }
        await expectRefusal(.producerNotFound) { try await alice.request(.closeProducer(ProducerID("x"))) }
        await expectRefusal(.consumerNotFound) { try await alice.request(.requestConsumerKeyFrame(ConsumerID("x"))) }
        await expectRefusal(.invalidParameters) { try await alice.produce(.video, audioParameters()) }
        var chicken = audioParameters()
        chicken.codecs[0].mimeType = "audio/chicken"
        await expectRefusal(.unsupported) { try await alice.produce(.audio, chicken) }
        await expectRefusal(.invalidParameters) {
            try await alice.request(
                .connectWebRtcTransport(.init(transportID: alice.sending, dtlsParameters: .init(fingerprints: []))))
        }
        await expectRefusal(.wrongState) { try await alice.produceData("chat", on: alice.sending) }
        #expect(await alice.room.state.counts.producers == 0)
    }

    @Test(arguments: ["applyNetworkThrottle", "resetNetworkThrottle"])
    func `nobody throttles networks`(method: String) async throws {
        let alice = try await RoomFixture().join("alice")
        let request = try SignalingRequest(method: method, data: try json("{\"secret\":\"x\"}"))
        await expectRefusal(.forbidden) {
            try await alice.request(request)
        }
    }

    @Test func `the response comes before what follows from the request`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        _ = try await alice.produce(.audio, audioParameters())
        let bob = try await fixture.connect("bob")
        try await bob.makeTransports()
        let request = SignalingRequest.join(JoinRequest(displayName: "B", rtpCapabilities: receiverCapabilities))
        let client = bob.client
        await bob.room.request(request, from: bob.session) { result in
            #expect(throws: Never.self) { try result.get() }
            client.state.withLock { $0.log.append("response") }
        }
        #expect(client.log == ["mediasoup-version", "response", "newConsumer"])
        await bob.room.request(request, from: bob.session) { result in
            #expect(throws: RoomError.self) { try result.get() }
        }
    }

    @Test func `a full command queue refuses the request and leaves nothing behind`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        let bob = try await fixture.join("bob")
        let producer = try await alice.produce(.audio, audioParameters())
        await bob.answer(.accepted)
        let consumer = try #require(await bob.room.state.consumers.keys.first)
        let before = await alice.room.state.counts
        fixture.plane.setFull(true)
        await expectRefusal(.overloaded) { try await alice.makeTransport(producing: true, consuming: false) }
        await expectRefusal(.overloaded) { try await alice.produce(.video, simulcastParameters()) }
        await expectRefusal(.overloaded) { try await alice.request(.pauseProducer(producer)) }
        await expectRefusal(.overloaded) { try await bob.request(.pauseConsumer(consumer)) }
        await expectRefusal(.overloaded) { try await bob.request(.requestConsumerKeyFrame(consumer)) }
        await expectRefusal(.overloaded) { try await alice.request(.restartIce(alice.sending)) }
        let connect = ConnectWebRtcTransportRequest(
            transportID: alice.sending, dtlsParameters: .init(fingerprints: [clientFingerprint]))
        await expectRefusal(.overloaded) { try await alice.request(.connectWebRtcTransport(connect)) }
        #expect(await alice.room.state.counts == before)
        #expect(await bob.room.state.consumers[consumer]?.isPaused == false)
        fixture.plane.setFull(false)
        try await alice.request(.connectWebRtcTransport(connect))
        try await alice.request(.pauseProducer(producer))
        try await bob.request(.pauseConsumer(consumer))
        _ = try await alice.produce(.video, simulcastParameters())
    }

    @Test func `a consumer the busy media plane refused is opened later`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        let bob = try await fixture.join("bob")
        fixture.plane.state.withLock { $0.refusesConsumers = true }
        let producer = try await alice.produce(.audio, audioParameters())
        #expect(bob.client.offers.isEmpty)
        fixture.plane.state.withLock { $0.refusesConsumers = false }
        await bob.room.retryQueued()
        #expect(bob.client.offers.map(\.producerID) == [producer])
        await bob.answer(.accepted)
        fixture.plane.forget()
        // The producer's pause is sent to the consumer's thread as soon as it can take it.
        fixture.plane.state.withLock { $0.refusesConsumers = true }
        try await alice.request(.pauseProducer(producer))
        #expect(fixture.plane.names == ["setProducerPaused", "setConsumerProducerPaused"])
    }

    @Test func `events of the media plane reach the room in one burst`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        let bob = try await fixture.join("bob")
        let room = alice.room
        let (key, queue) = fixture.plane.transports[0]
        let tuple = TransportTuple(
            localAddress: "192.0.2.1", localPort: 1, remoteAddress: "192.0.2.2", remotePort: 2, transport: .udp)
        queue.append(.iceStateChanged(key, .connected, selected: tuple))
        queue.append(.dtlsStateChanged(key, .connected))
        queue.append(.commandFailed(key, MediaError(.notFound, "gone")))
        await room.drain()
        let snapshot = await room.snapshot()
        let transport = try #require(snapshot.peers.first?.transports.first)
        #expect(transport.path == .webRTC(.connected, .connected, selected: tuple))
        queue.append(.iceStateChanged(key, .disconnected, selected: nil))
        queue.append(.dtlsStateChanged(key, .closed))
        await room.drain()
        #expect(alice.client.closed == .iceDisconnected)
        #expect(bob.client.log.last == "peerClosed")
        await expectRefusal(.peerClosed) { try await alice.request(.getRouterRtpCapabilities) }
    }

    @Test func `one task comes for a burst, whatever its length`() async throws {
        let alice = try await RoomFixture().connect("alice")
        // The room drains its own inbox only, so that nothing but the test takes from this one.
        let inbox = RoomInbox()
        #expect(!inbox.signal(), "without a room there is nobody to come")
        inbox.attach(alice.room)
        #expect(inbox.signal())
        #expect(!inbox.signal())
        inbox.consumerAnswered(ConsumerID("a"), .accepted)
        inbox.consumerAnswered(ConsumerID("b"), .rejected)
        #expect(inbox.take().map(\.0) == [ConsumerID("a"), ConsumerID("b")])
        #expect(inbox.take().isEmpty)
        #expect(inbox.signal())
    }

    @Test func `a peer that connects again replaces its older connection`() async throws {
        let fixture = try RoomFixture()
        let older = try await fixture.join("alice")
        let newer = try await fixture.join("alice")
        #expect(older.client.closed == .replaced)
        #expect(older.room === newer.room)
        await expectRefusal(.peerClosed) { try await older.request(.getRouterRtpCapabilities) }
        await older.room.disconnected(older.session)
        #expect(newer.client.closed == nil)
        try await newer.request(.getRouterRtpCapabilities)
        #expect(fixture.registry.totals().counts.peers == 1)
    }

    @Test func `statistics have mediasoup's fields`() async throws {
        let fixture = try RoomFixture(shards: 2)
        let alice = try await fixture.join("alice")
        let response = try await alice.request(.getTransportStats(alice.sending))
        guard case .statistics(let entries) = response, case .object(let fields)? = entries.first else {
            Issue.record("\(response)")
            return
        }
        #expect(fields["type"] == .string("webrtc-transport"))
        #expect(fields["transportId"] == .string(alice.sending.rawValue))
        #expect(fields["iceState"] == .string("completed"))
        let key = fixture.plane.transports[0].key
        #expect(fields["bytesReceived"] == .integer(Int64(1000 + (key.rawValue & 0xFFFF))))
        let snapshot = await alice.room.snapshot()
        #expect(snapshot.isComplete)
        #expect(snapshot.peers[0].transports.map { $0.statistics != nil } == [true, true])
    }

    @Test func `statistics that never come do not hang`() async throws {
        var configuration = RoomConfiguration()
        configuration.statisticsTimeout = .milliseconds(20)
        let fixture = try RoomFixture(configuration: configuration)
        let alice = try await fixture.join("alice")
        fixture.plane.state.withLock { $0.answersStatistics = false }
        let snapshot = await alice.room.snapshot()
        #expect(!snapshot.isComplete)
        #expect(snapshot.peers.map(\.peer.id) == [PeerID("alice")])
        await expectRefusal(.timedOut) { try await alice.request(.getTransportStats(alice.sending)) }
        fixture.plane.setFull(true)
        #expect(await !alice.room.snapshot().isComplete)
    }

    @Test func `a peer that leaves while its statistics are collected gets an error`() async throws {
        var configuration = RoomConfiguration()
        configuration.statisticsTimeout = .seconds(50)
        let fixture = try RoomFixture(configuration: configuration)
        let alice = try await fixture.join("alice")
        fixture.plane.state.withLock { $0.answersStatistics = false }
        async let refused: Void = expectRefusal(.roomClosed) { [alice] in
            try await alice.request(.getTransportStats(alice.sending))
        }
        while await alice.room.collections.isEmpty { await Task.yield() }
        await alice.room.disconnected(alice.session)
        await refused
        #expect(fixture.registry.room(RoomID("room")) == nil)
    }
}
