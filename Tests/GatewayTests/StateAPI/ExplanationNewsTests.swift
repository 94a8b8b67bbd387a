import Testing

@testable import RoundhouseGateway
@testable import RoundhouseMedia
@testable import RoundhouseRooms

@Suite("News of explanations")
struct ExplanationNewsTests {
    private func explanation(_ limit: ConsumerExplanation.Limit, samples: Int) -> PeerExplanation {
        let state = BandwidthState(
            estimate: 480_000, cause: .rampUp, acknowledged: 0, proven: 0, ceiling: nil, queue: .zero, loss: 0,
            inherentLoss: 0, roundTripTime: nil, verdict: .normal, lossClass: .none, isApplicationLimited: false)
        let history = (1...samples).map {
            BandwidthSample(
                state, allocated: 0, wanted: 0, at: MediaInstant(nanoseconds: UInt64($0) * 1_000_000_000))
        }
        var transport = TransportExplanation(id: TransportID("t"), sample: history.last, consumers: [])
        transport.history = history.map { (Int64($0.at.nanoseconds / 1_000_000), $0) }
        transport.consumers = [
            ConsumerExplanation(
                id: ConsumerID("c"), producerID: ProducerID("p"), sender: "Bob", source: nil, kind: .video, layers: nil,
                bitrate: 0, limit: limit)
        ]
        return PeerExplanation(
            room: RoomID("demo"),
            peer: PeerDescription(id: PeerID("a"), displayName: "Alice", device: DeviceDescription()), time: 1,
            isComplete: true, transports: [transport])
    }

    @Test func `first comes the whole, then samples, and the whole again when something changes`() {
        var news = ExplanationNews()
        #expect(news.events(of: explanation(.everything, samples: 1)).map(\.name) == ["explanation"])
        #expect(news.events(of: explanation(.everything, samples: 1)).isEmpty)
        #expect(news.events(of: explanation(.everything, samples: 2)).map(\.name) == ["sample"])
        let changed = news.events(of: explanation(.hold(nextStep: 1), samples: 3))
        #expect(changed.map(\.name) == ["sample", "explanation"])
        #expect(!changed[1].data.contains("\"history\""))
        #expect(news.events(of: explanation(.hold(nextStep: 1), samples: 3)).isEmpty)
    }
}
