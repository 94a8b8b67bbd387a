import Testing

@testable import RoundhouseMedia

private func at(_ milliseconds: Int) -> MediaInstant {
    MediaInstant(nanoseconds: 1 << 45) + .milliseconds(milliseconds)
}

@Suite("ProbeController")
struct ProbeControllerTests {
    /// Runs one train over a path of a rate, or none if nothing is sent.
    private func train(
        for goal: UInt64, over rate: UInt64, lostEvery: Int = 0, sends: Bool = true
    ) -> (ProbeResult?, ProbeController) {
        var probes = ProbeController()
        probes.start(for: goal, at: at(0))
        var freeAt: Int64 = 0
        var reports: [PacketReport] = []
        for time in 0..<400 {
            let size = sends ? probes.takeFiller(at: at(time)) : 0
            if size > 0 {
                probes.packetSent(size: size)
                freeAt = max(freeAt, Int64(time) * 1_000_000) + Int64(UInt64(size) * 8_000_000_000 / rate)
                let isLost = lostEvery > 0 && reports.count % lostEvery == 0
                reports.append(
                    PacketReport(size: size, sentAt: at(time), isLost: isLost, arrivedAt: freeAt, ownQueue: 0))
            }
            _ = probes.advance(to: at(time))
        }
        for report in reports { probes.packetReported(report) }
        let result = probes.judge(
            newestSentAt: at(400), noise: 1_000_000, inherentLoss: 0, isCongested: false, at: at(450))
        return (result, probes)
    }

    @Test func `a train that arrives as fast as it was sent passes`() {
        let (result, _) = train(for: 2_000_000, over: 10_000_000)
        #expect(result == .passed(2_000_000, isClear: true))
    }

    @Test func `a train that queues fails, and shows what arrived`() throws {
        let (result, probes) = train(for: 2_000_000, over: 1_000_000)
        var measured: UInt64?
        if case .failed(let rate) = try #require(result) { measured = rate }
        #expect((850_000...1_150_000).contains(try #require(measured)))
        #expect(probes.phase == .idle)
        #expect(!probes.mayStart(for: 2_000_000, at: at(1_000)))
        #expect(probes.mayStart(for: 1_200_000, at: at(1_000)))
        #expect(probes.mayStart(for: 2_000_000, at: at(4_000)))
    }

    @Test func `a train of which much is lost fails`() throws {
        let (result, _) = train(for: 4_000_000, over: 10_000_000, lostEvery: 3)
        let failed = try #require(result)
        #expect(failed != .passed(4_000_000, isClear: true))
    }

    @Test func `a starved train tells nothing`() {
        let (result, probes) = train(for: 2_000_000, over: 10_000_000, sends: false)
        #expect(result == nil)
        #expect(probes.phase == .idle)
    }

    @Test func `filler keeps to the goal, also after a late tick`() {
        var probes = ProbeController()
        probes.start(for: 8_000_000, at: at(0))
        #expect(probes.takeFiller(at: at(0)) <= 5_000)
        let late = probes.takeFiller(at: at(60))
        #expect(late <= 20_200)
        probes.packetSent(size: 200_000)
        #expect(probes.takeFiller(at: at(61)) == 0)
        #expect(probes.takeFiller(at: at(500)) == 0)
    }
}
