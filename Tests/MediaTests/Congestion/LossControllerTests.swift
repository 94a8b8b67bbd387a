import Testing

@testable import RoundhouseMedia

/// Sends so many packets a second through something that loses some.
private struct LossyLink {
    var loss = LossController()
    var now = MediaInstant(nanoseconds: 1 << 40)
    /// In packets per second.
    var rate = 200
    var actions: [LossAction] = []

    mutating func run(_ seconds: Int, isQueueing: Bool = false, lost: (Int) -> Int) {
        for _ in 0..<seconds * 20 {
            now = now + .milliseconds(50)
            var settled = SettledPackets()
            settled.packets = rate / 20
            settled.lostPackets = lost(settled.packets)
            settled.lastSentAt = now
            let arrived = UInt64(settled.packets - settled.lostPackets) * 20 * 8_000
            let action = loss.packetsSettled(
                settled, isQueueing: isQueueing, acknowledged: arrived, rate: UInt64(rate) * 8_000, at: now)
            if action != .none { actions.append(action) }
            if case .limit(let bitrate, _) = action { rate = Int(bitrate / 8_000) }
            if case .restore(let bitrate) = action { rate = Int(bitrate / 8_000) }
        }
    }
}

@Suite("LossController")
struct LossControllerTests {
    @Test func `without loss nothing is asked for`() {
        var link = LossyLink()
        link.run(30) { _ in 0 }
        #expect(link.actions == [])
        #expect(link.loss.kind == .none)
        #expect(link.loss.loss == 0)
    }

    @Test(arguments: [5, 10, 20])
    func `loss that does not end when less is sent is the path's own`(percent: Int) {
        var link = LossyLink()
        var random = SplitMix(seed: 17)
        link.run(60) { count in (0..<count).count { _ in Int.random(in: 0..<100, using: &random) < percent } }
        #expect(link.rate == 200)
        #expect(link.loss.kind == .random)
        #expect((Int32(percent) * 655 / 2...Int32(percent) * 655 * 3 / 2).contains(link.loss.inherent))
        #expect(link.actions.count <= 4)
    }

    @Test func `what drops all beyond a rate is found, and its rate is kept to`() {
        var link = LossyLink()
        link.run(10) { count in max(count - 7, 0) }
        #expect(link.loss.kind == .policer)
        #expect((120...140).contains(link.rate))
        let policed = link.loss.policedRate ?? 0
        #expect((960_000...1_120_000).contains(policed))
        link.run(40) { _ in 0 }
        #expect(link.loss.policedRate == nil)
    }

    @Test func `loss beside a queue is congestion, and tells nothing of the path's own`() {
        var link = LossyLink()
        link.run(5, isQueueing: true) { $0 / 5 }
        #expect(link.loss.kind == .congestion)
        #expect(link.loss.inherent == 0)
        #expect(link.actions == [])
    }

    @Test func `most being lost is answered within half a second`() {
        var link = LossyLink()
        link.run(1) { $0 * 3 / 4 }
        #expect(link.rate <= 60)
    }
}
