import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

@Suite("Explanations")
struct ExplanationTests {
    private static let limits: [ConsumerExplanation.Limit] = [
        .sound, .pausedByViewer, .pausedBySender, .notAccepted, .unbound, .everything,
        .viewer(ConsumerLayers(spatial: 1, temporal: 0)), .sender(made: 1, announced: 3),
        .budget(nextStep: 350_000, estimate: 480_000), .hold(nextStep: 350_000), .untried(nextStep: 350_000),
        .turn(nextStep: 350_000),
        .nothingFits(least: 60_000, estimate: 30_000), .silent, .unknown,
    ]

    private func consumer(_ limit: ConsumerExplanation.Limit, sender: String = "Bob") -> ConsumerExplanation {
        ConsumerExplanation(
            id: ConsumerID("c"), producerID: ProducerID("p"), sender: sender, source: "camera", kind: .video,
            layers: ConsumerLayers(spatial: 0, temporal: 2), bitrate: 150_000, limit: limit)
    }

    private func sample(_ cause: BandwidthCause) -> BandwidthSample {
        BandwidthSample(
            BandwidthState(
                estimate: 480_000, cause: cause, acknowledged: 412_000, proven: 412_000, ceiling: nil,
                queue: .milliseconds(35), loss: 262, inherentLoss: 6_554, roundTripTime: .milliseconds(48),
                verdict: .normal, lossClass: .none, isApplicationLimited: false), allocated: 0, wanted: 0,
            at: MediaInstant(nanoseconds: 1))
    }

    @Test func `each reason is a sentence of its own, on one line`() {
        let sentences = Self.limits.map { consumer($0).sentence }
        #expect(Set(sentences).count == Self.limits.count)
        #expect(Set(Self.limits.map { consumer($0).reason }).count == Self.limits.count)
        for sentence in sentences {
            #expect(sentence.hasSuffix(".") && !sentence.contains("\n") && !sentence.contains("  "), "\(sentence)")
        }
    }

    @Test func `what would change it is said in numbers`() {
        let budget = consumer(.budget(nextStep: 350_000, estimate: 1_480_000))
        #expect(budget.sentence.contains("350 kb/s") && budget.sentence.contains("1.48 Mb/s"))
        #expect(budget.nextStep == 350_000)
        #expect(consumer(.sender(made: 1, announced: 3)).sentence.contains("1 of 3"))
        #expect(consumer(.viewer(ConsumerLayers(spatial: 1, temporal: 0))).sentence.contains("1/0"))
    }

    @Test func `each cause is a sentence of its own`() {
        let causes = (0...17).compactMap { BandwidthCause(rawValue: $0) }
        let sentences = causes.map {
            TransportExplanation(id: TransportID("t"), sample: sample($0), consumers: []).sentence
        }
        #expect(causes.count == 18 && Set(sentences).count == 18)
        var unknown = TransportExplanation(id: TransportID("t"), sample: nil, consumers: [])
        #expect(unknown.sentence.contains("says nothing"))
        unknown.isWatched = false
        #expect(unknown.sentence.contains("--bandwidth ignore"))
        unknown.hasHistory = true
        #expect(unknown.sentence.contains("written down"))
    }

    /// A name is the client's: it must not make lines of its own.
    @Test func `the text is plain, and a name cannot forge a line of it`() {
        var transport = TransportExplanation(id: TransportID("t1"), sample: sample(.delayOveruse), consumers: [])
        transport.consumers = [
            consumer(.budget(nextStep: 350_000, estimate: 480_000), sender: "Bob\nTransport evil: 1 kb/s")
        ]
        let explanation = PeerExplanation(
            room: RoomID("demo"),
            peer: PeerDescription(id: PeerID("a"), displayName: "Al\r\nice", device: DeviceDescription()),
            time: 1_796_000_000_000, isComplete: true, transports: [transport])
        let lines = explanation.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 6)
        #expect(lines[0].hasPrefix("What Al ice (a) in the room demo is sent, and why, at 20"))
        #expect(
            lines[2]
                == "Transport t1: 480 kb/s may be sent, 412 kb/s arrive, packets wait 35 ms, 0.4 % are lost, 48 ms there and back. A queue grew on the way, so less is sent until it has drained."
        )
        #expect(lines[3] == "  Bob Transport evil: 1 kb/s, camera: layers 0/2, 150 kb/s")
    }

    @Test func `a peer without media is explained, and one that is not there is not`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        let explanation = try #require(await alice.room.explanation(of: alice.session.peerID, withHistory: true))
        #expect(explanation.isComplete && explanation.transports.count == 1)
        #expect(explanation.text.contains("It has no consumers.") && explanation.text.contains("--bandwidth ignore"))
        let bob = try await fixture.connect("bob")
        let nothing = try #require(await bob.room.explanation(of: bob.session.peerID))
        #expect(nothing.text.contains("Nothing is sent to it"))
        #expect(await bob.room.explanation(of: PeerID("nobody")) == nil)
    }
}
