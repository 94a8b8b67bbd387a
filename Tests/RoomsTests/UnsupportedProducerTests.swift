import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

@Suite("Producers that some cannot decode", .timeLimit(.minutes(15)))
struct UnsupportedProducerTests {
    /// Offers VP8 first, sends what it likes.
    private func severalCodecs() -> RTPParameters {
        var parameters = simulcastParameters()
        parameters.codecs += [
            RTPCodecParameters(
                mimeType: "video/H264", payloadType: 102, clockRate: 90000,
                parameters: ["profile-level-id": .string("42e01f"), "packetization-mode": .integer(1)]),
            RTPCodecParameters(
                mimeType: "video/rtx", payloadType: 103, clockRate: 90000, parameters: ["apt": .integer(102)]),
        ]
        parameters.encodings = [RTPEncodingParameters(ssrc: 5000, rtxSSRC: 5001)]
        return parameters
    }

    private func spatialAV1() -> RTPParameters {
        var parameters = simulcastParameters()
        parameters.codecs = [RTPCodecParameters(mimeType: "video/AV1", payloadType: 45, clockRate: 90000)]
        parameters.encodings = [RTPEncodingParameters(ssrc: 6000, scalabilityMode: "L3T3")]
        return parameters
    }

    private func av1(with extensions: [RTPHeaderExtension]) throws -> RTPCapabilities {
        let router = try ORTC.routerCapabilities(mediaCodecs: RoomConfiguration.defaultMediaCodecs)
        return RTPCapabilities(
            codecs: router.codecs.filter { $0.mimeType == "video/AV1" }, headerExtensions: extensions)
    }

    /// The media plane says which codec a producer sends.
    private func sends(
        _ payloadType: UInt8, _ fixture: RoomFixture, _ publisher: ConnectedPeer
    ) async throws {
        let key = try #require(
            fixture.plane.commands.compactMap { if case .openProducer(let key, _, _) = $0 { key } else { nil } }.last)
        let queue = try #require(fixture.plane.transports.first?.queue)
        queue.append(.producerCodecChanged(key, payloadType: payloadType))
        await publisher.room.drain()
    }

    private func payloadType(_ name: String) throws -> UInt8 {
        let router = try ORTC.routerCapabilities(mediaCodecs: RoomConfiguration.defaultMediaCodecs)
        return try #require(
            router.codecs.first {
                $0.mimeType == name && ($0.parameters["profile-level-id"]?.text ?? "42e01f") == "42e01f"
            }?.preferredPayloadType)
    }

    @Test func `a peer that cannot decode what is sent loses its consumer, and gets it back`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        // Bob decodes VP8, and no H.264.
        let bob = try await fixture.join("bob")
        let id = try await alice.produce(.video, severalCodecs())
        #expect(bob.client.offers.map(\.producerID) == [id])
        await bob.answer(.accepted)
        bob.client.forget()

        try await sends(try payloadType("video/H264"), fixture, alice)
        #expect(bob.client.log == ["consumerClosed", "producerUnsupported"])
        let reason = try #require(
            bob.client.notifications.compactMap {
                if case .producerUnsupported(let producer, let reason) = $0, producer.id == id { reason } else { nil }
            }.first)
        #expect(reason == "no codec in common with the producer, which sends video/H264")
        var snapshot = await alice.room.snapshot(withStatistics: false)
        var seen = try #require(snapshot.peers.first { $0.peer.id == PeerID("bob") })
        #expect(seen.unsupportedProducers == [id: reason])
        #expect(snapshot.peers.flatMap(\.transports).flatMap(\.producers).map(\.mimeType) == ["video/H264"])

        // The same once more changes nothing.
        bob.client.forget()
        try await sends(try payloadType("video/H264"), fixture, alice)
        #expect(bob.client.log.isEmpty)

        try await sends(try payloadType("video/VP8"), fixture, alice)
        #expect(bob.client.log == ["newConsumer"])
        await bob.answer(.accepted)
        snapshot = await alice.room.snapshot(withStatistics: false)
        seen = try #require(snapshot.peers.first { $0.peer.id == PeerID("bob") })
        #expect(seen.unsupportedProducers.isEmpty)
    }

    @Test func `a codec with another clock gets consumers of its own`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        var capabilities = receiverCapabilities
        capabilities.codecs.append(
            RTPCodecCapability(kind: .audio, mimeType: "audio/PCMU", preferredPayloadType: 0, clockRate: 8000))
        let bob = try await fixture.connect("bob")
        try await bob.makeTransports()
        _ = try await bob.request(.join(JoinRequest(displayName: "B", rtpCapabilities: capabilities)))
        var parameters = audioParameters()
        parameters.codecs.append(RTPCodecParameters(mimeType: "audio/PCMU", payloadType: 0, clockRate: 8000))
        _ = try await alice.produce(.audio, parameters)
        #expect(bob.client.offers.map { $0.rtpParameters.codecs.map(\.payloadType) } == [[100, 0]])
        await bob.answer(.accepted)
        bob.client.forget()
        try await sends(100, fixture, alice)
        #expect(bob.client.log.isEmpty)
        try await sends(0, fixture, alice)
        #expect(bob.client.log == ["consumerClosed", "newConsumer"])
        #expect(bob.client.offers.map { $0.rtpParameters.codecs.map(\.payloadType) } == [[0, 100]])
    }

    @Test func `a peer that comes later is offered what it can decode of what is sent`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        _ = try await alice.produce(.video, severalCodecs())
        try await sends(try payloadType("video/H264"), fixture, alice)
        let bob = try await fixture.join("bob")
        #expect(bob.client.offers.isEmpty && bob.client.log.contains("producerUnsupported"))
    }

    @Test func `AV1 with spatial layers is offered to those alone that can find their way in it`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        let id = try await alice.produce(.video, spatialAV1())
        for (name, extensions) in [("bob", []), ("carol", ORTC.supportedHeaderExtensions)] {
            let peer = try await fixture.connect(name)
            try await peer.makeTransports()
            let capabilities = try av1(with: extensions)
            _ = try await peer.request(.join(JoinRequest(displayName: name, rtpCapabilities: capabilities)))
            #expect(peer.client.offers.map(\.producerID) == (extensions.isEmpty ? [] : [id]))
            #expect(peer.client.log.contains("producerUnsupported") == extensions.isEmpty)
            guard extensions.isEmpty else { continue }
            let request = ConsumeRequest(
                transportID: peer.receiving, producerID: id, rtpCapabilities: capabilities, usesClientIDs: true)
            await expectRefusal(.unsupported) { try await peer.request(.consume(request)) }
        }
    }

    @Test func `AV1 in one spatial layer, or in streams of their own, needs nothing`() throws {
        let router = try ORTC.routerCapabilities(mediaCodecs: RoomConfiguration.defaultMediaCodecs)
        func refusal(_ encodings: [RTPEncodingParameters]) throws -> ORTCError? {
            var parameters = spatialAV1()
            parameters.encodings = encodings
            let mapping = try ORTC.producerMapping(parameters, router: router, firstMappedSSRC: 1)
            let consumable = ORTC.consumableParameters(kind: .video, mapping: mapping, router: router, cname: "c")
            return ORTC.refusal(of: consumable, by: try av1(with: []))
        }
        #expect(try refusal([RTPEncodingParameters(ssrc: 1, scalabilityMode: "L1T3")]) == nil)
        #expect(try refusal(["a", "b"].map { RTPEncodingParameters(rid: $0, scalabilityMode: "L1T3") }) == nil)
        let message = try #require(try refusal([RTPEncodingParameters(ssrc: 1, scalabilityMode: "L2T1")])?.message)
        #expect(message.contains("AV1 with spatial layers (L2T1)") && message.contains("dependency-descriptor"))
    }
}
