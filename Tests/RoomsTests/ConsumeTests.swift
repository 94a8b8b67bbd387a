import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

@Suite("Consuming on request", .timeLimit(.minutes(15)))
struct ConsumeTests {
    /// A receiver whose numbers are not the router's.
    private let capabilities = RTPCapabilities(
        codecs: [
            RTPCodecCapability(
                kind: .video, mimeType: "video/VP8", preferredPayloadType: 96, clockRate: 90000,
                rtcpFeedback: [RTCPFeedback(type: "nack"), RTCPFeedback(type: "nack", parameter: "pli")]),
            RTPCodecCapability(
                kind: .video, mimeType: "video/rtx", preferredPayloadType: 97, clockRate: 90000,
                parameters: ["apt": .integer(96)]),
        ],
        headerExtensions: [
            RTPHeaderExtension(kind: .video, uri: HeaderExtension.mid.uri, preferredID: 9),
            RTPHeaderExtension(kind: .video, uri: HeaderExtension.absSendTime.uri, preferredID: 2),
            RTPHeaderExtension(kind: .audio, uri: HeaderExtension.playoutDelay.uri, preferredID: 5),
            RTPHeaderExtension(kind: .video, uri: "urn:unknown", preferredID: 6),
        ])

    private func viewer(_ fixture: RoomFixture) async throws -> ConnectedPeer {
        let viewer = try await fixture.connect("viewer")
        try await viewer.makeTransports()
        return viewer
    }

    private func consume(
        _ producer: ProducerID, by viewer: ConnectedPeer, _ capabilities: RTPCapabilities? = nil
    ) async throws -> NewConsumerRequest {
        let response = try await viewer.request(
            .consume(
                ConsumeRequest(
                    transportID: viewer.receiving, producerID: producer,
                    rtpCapabilities: capabilities ?? self.capabilities, mid: "v", usesClientIDs: true)))
        guard case .consumer(let consumer) = response else { throw RoomError(.internalError, "\(response)") }
        return consumer
    }

    @Test func `a peer that has not joined gets what it asks for, unseen, in its own numbers`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        let producer = try await alice.produce(.video, simulcastParameters())
        let viewer = try await viewer(fixture)
        #expect(viewer.client.offers.isEmpty)
        let published = await viewer.room.publications()
        #expect(published.map(\.producerID) == [producer])
        fixture.plane.forget()

        let consumer = try await consume(producer, by: viewer)
        #expect(consumer.rtpParameters.mid == "v")
        #expect(consumer.rtpParameters.codecs.map(\.payloadType) == [96, 97])
        #expect(consumer.rtpParameters.codecs[1].parameters["apt"] == .integer(96))
        #expect(consumer.rtpParameters.headerExtensions.map(\.id).sorted() == [2, 9])
        #expect(consumer.rtpParameters.encodings[0].rtxSSRC != nil)
        // It is accepted by having been asked for.
        #expect(fixture.plane.names == ["openConsumer", "setConsumerPaused"])
        let settings = try #require(fixture.plane.consumerSettings.first)
        let numbering = try #require(settings.numbering)
        let router = settings.codecs[0]
        #expect(numbering.payloadTypes[router.payloadType] == 96)
        #expect(router.rtxPayloadType.flatMap { numbering.payloadTypes[$0] } == 97)
        #expect(numbering.headerExtensions[.mid] == 9)
        #expect(numbering.headerExtensions[.playoutDelay] == 0)
        #expect(settings.headerExtensions[.mid] == HeaderExtension.mid.routerID)
        #expect(!alice.client.log.contains("newPeer"))
        try await viewer.request(.pauseConsumer(consumer.id))

        try await alice.request(.closeProducer(producer))
        #expect(viewer.client.log.contains("consumerClosed"))
    }

    @Test func `without RTX in the client's capabilities there is no RTX stream`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        let producer = try await alice.produce(.video, simulcastParameters())
        let viewer = try await viewer(fixture)
        let without = RTPCapabilities(codecs: [capabilities.codecs[0]])
        let consumer = try await consume(producer, by: viewer, without)
        #expect(consumer.rtpParameters.codecs.map(\.payloadType) == [96])
        #expect(consumer.rtpParameters.encodings[0].rtxSSRC == nil)
    }

    @Test func `wishes that cannot be fulfilled are refused and leave nothing`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        let video = try await alice.produce(.video, simulcastParameters())
        let audio = try await alice.produce(.audio, audioParameters())
        let viewer = try await viewer(fixture)
        await expectRefusal(.producerNotFound) { try await consume(ProducerID("none"), by: viewer) }
        await expectRefusal(.unsupported) { try await consume(audio, by: viewer) }
        fixture.plane.setFull(true)
        await expectRefusal(.overloaded) { try await consume(video, by: viewer) }
        fixture.plane.setFull(false)
        _ = try await consume(video, by: viewer)
        await viewer.room.disconnected(viewer.session)
        #expect(viewer.room.published.value.consumers == 0)
    }
}
