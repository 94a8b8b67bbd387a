import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

/// Peers that hear of producers and make their consumers themselves, beside those to whom they are offered.
@Suite(.timeLimit(.minutes(15))) struct ConsumeOnRequestTests {
    private let fixture: RoomFixture
    private let alice: ConnectedPeer
    private let bob: ConnectedPeer

    /// Bob consumes on request; Alice is offered consumers.
    init() async throws {
        fixture = try RoomFixture()
        alice = try await fixture.join("alice")
        bob = try await fixture.connect("bob")
        _ = try await bob.makeTransport(producing: true, consuming: true)
        try await bob.request(
            .join(JoinRequest(displayName: "BOB", rtpCapabilities: receiverCapabilities, consumesOnRequest: true)))
    }

    private func consume(
        _ producer: ProducerID, _ capabilities: RTPCapabilities = receiverCapabilities
    ) async throws -> NewConsumerRequest {
        let request = ConsumeRequest(transportID: bob.sending, producerID: producer, rtpCapabilities: capabilities)
        guard case .consumer(let consumer) = try await bob.request(.consume(request)) else { throw NoConsumer() }
        return consumer
    }

    private struct NoConsumer: Error {}

    @Test func `they are notified of a producer and offered nothing`() async throws {
        let producer = try await alice.produce(.audio, audioParameters())
        #expect(bob.client.offers.isEmpty)
        guard case .newProducers(let told)? = bob.client.notifications.last else { throw NoConsumer() }
        #expect(told == [ProducerDescription(id: producer, peerID: PeerID("alice"), kind: .audio)])
        let own = try await bob.produce(.audio, audioParameters())
        #expect(alice.client.offers.map(\.producerID) == [own])
        #expect(!alice.client.log.contains("newProducers"))
    }

    @Test func `a consumer they ask for flows at once, and they are notified when it closes`() async throws {
        let producer = try await alice.produce(.video, simulcastParameters())
        fixture.plane.forget()
        let consumer = try await consume(producer)
        #expect(consumer.producerID == producer && consumer.kind == .video && consumer.type == .simulcast)
        #expect(consumer.transportID == bob.sending && !consumer.isProducerPaused)
        #expect(fixture.plane.names == ["openConsumer", "setConsumerPaused"])
        guard case .setConsumerPaused(_, let isPaused)? = fixture.plane.commands.last else { throw NoConsumer() }
        #expect(!isPaused)
        try await alice.request(.pauseProducer(producer))
        try await alice.request(.closeProducer(producer))
        #expect(bob.client.log.suffix(2) == ["consumerPaused", "consumerClosed"])
    }

    @Test func `one producer may be consumed twice, and one's own too`() async throws {
        let own = try await bob.produce(.audio, audioParameters())
        let first = try await consume(own)
        let second = try await consume(own)
        #expect(first.id != second.id)
        #expect(first.rtpParameters.mid != second.rtpParameters.mid)
        #expect(bob.room.published.value.consumers == 3, "Alice was offered one too")
    }

    @Test func `what cannot be consumed is refused by name and leaves nothing`() async throws {
        let producer = try await alice.produce(.video, simulcastParameters())
        let deaf = RTPCapabilities(codecs: [receiverCapabilities.codecs[0]], headerExtensions: [])
        await expectRefusal(.unsupported) { try await consume(producer, deaf) }
        await expectRefusal(.producerNotFound) { try await consume(ProducerID("nothing")) }
        let elsewhere = ConsumeRequest(
            transportID: alice.receiving, producerID: producer, rtpCapabilities: receiverCapabilities)
        await expectRefusal(.transportNotFound) { try await bob.request(.consume(elsewhere)) }
        let sending = ConsumeRequest(
            transportID: alice.sending, producerID: producer, rtpCapabilities: receiverCapabilities)
        await expectRefusal(.wrongState) { try await alice.request(.consume(sending)) }
        fixture.plane.setFull(true)
        await expectRefusal(.overloaded) { try await consume(producer) }
        fixture.plane.setFull(false)
        #expect(try await consume(producer).rtpParameters.mid != nil)
        let snapshot = await bob.room.snapshot()
        #expect(snapshot.peers[1].transports[0].consumers.count == 1)
    }

    @Test func `a peer's consumers are bounded`() async throws {
        var configuration = RoomConfiguration()
        configuration.maximumConsumersPerPeer = 2
        let fixture = try RoomFixture(configuration: configuration)
        let carol = try await fixture.join("carol")
        _ = try await carol.produce(.audio, audioParameters())
        guard case .producers(let producers) = try await carol.request(.getProducers) else { throw NoConsumer() }
        let request = ConsumeRequest(
            transportID: carol.receiving, producerID: producers[0].id, rtpCapabilities: receiverCapabilities)
        try await carol.request(.consume(request))
        try await carol.request(.consume(request))
        await expectRefusal(.limitReached) { try await carol.request(.consume(request)) }
    }

    @Test func `producers and peers are listed with one's own`() async throws {
        let first = try await alice.produce(.audio, audioParameters())
        let second = try await bob.produce(.audio, audioParameters())
        guard case .producers(let producers) = try await bob.request(.getProducers) else { throw NoConsumer() }
        #expect(producers.map(\.id) == [first, second])
        #expect(producers.map(\.peerID.rawValue) == ["alice", "bob"])
        guard case .peers(let peers) = try await bob.request(.getPeers) else { throw NoConsumer() }
        #expect(peers.map(\.displayName) == ["ALICE", "BOB"])
        let carol = try await fixture.connect("carol")
        await expectRefusal(.peerNotJoined) { try await carol.request(.getProducers) }
        await expectRefusal(.peerNotJoined) { try await carol.request(.getPeers) }
    }

    @Test func `others hear whether a peer left or was lost`() async throws {
        await bob.room.left(bob.session)
        guard case .peerClosed(PeerID("bob"), .left)? = alice.client.notifications.last else { throw NoConsumer() }
        #expect(bob.client.closed == .left)
        let carol = try await fixture.join("carol")
        await carol.room.disconnected(carol.session)
        guard case .peerClosed(PeerID("carol"), .disconnected)? = alice.client.notifications.last else {
            throw NoConsumer()
        }
    }
}
