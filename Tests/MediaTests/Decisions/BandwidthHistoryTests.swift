import Testing

@testable import RoundhouseMedia

@Suite("What was decided lately")
struct BandwidthHistoryTests {
    private let start = MediaInstant(nanoseconds: 1_000_000_000_000)

    private func state(estimate: UInt64, cause: BandwidthCause = .rampUp, queue: Int = 5) -> BandwidthState {
        BandwidthState(
            estimate: estimate, cause: cause, acknowledged: estimate / 2, proven: estimate, ceiling: nil,
            queue: .milliseconds(queue), loss: 655, inherentLoss: 0, roundTripTime: .milliseconds(40), verdict: .normal,
            lossClass: .none, isApplicationLimited: false)
    }

    @Test func `a quiet transport is noted once a second, and a moving one four times`() {
        var history = BandwidthHistory()
        for tick in 0..<100 {
            history.observe(state(estimate: 500_000), allocated: 0, wanted: 0, at: start + .milliseconds(tick * 100))
        }
        #expect(history.samples.count == 10)
        history = BandwidthHistory()
        for tick in 0..<100 {
            let rate: UInt64 = tick % 2 == 0 ? 500_000 : 900_000
            history.observe(state(estimate: rate), allocated: 0, wanted: 0, at: start + .milliseconds(tick * 100))
        }
        #expect((30...40).contains(history.samples.count))
    }

    @Test func `ten minutes fit whatever happens, the older ones less finely`() throws {
        var history = BandwidthHistory()
        var random = SplitMix(seed: 7)
        var now = start
        for _ in 0..<12_000 {
            now = now + .milliseconds(100)
            let rate = UInt64.random(in: 100_000...3_000_000, using: &random)
            history.observe(state(estimate: rate), allocated: rate, wanted: rate, at: now)
            #expect(history.samples.count <= BandwidthHistory.sampleCount)
        }
        #expect(now - (try #require(history.samples.first)).at > .seconds(540))
        var last = start
        for sample in history.samples {
            #expect(sample.at > last)
            last = sample.at
        }
        for ago in stride(from: 0, to: 540, by: 7) {
            let moment = now + .seconds(-ago)
            let sample = try #require(history.sample(at: moment))
            #expect(sample.at <= moment && moment - sample.at < .seconds(3))
        }
        #expect(history.sample(at: start) == nil)
    }

    @Test func `rates and times beyond any range are bounded, not wrapped`() {
        var history = BandwidthHistory()
        var state = state(estimate: .max, queue: 10_000_000)
        state.loss = .max
        history.observe(state, allocated: .max / 2, wanted: 1_499, at: start)
        #expect(history.samples[0].estimate == .max && history.samples[0].queue == .max)
        #expect(history.samples[0].loss == .max && history.samples[0].wanted == 1)
    }

    @Test(arguments: 0..<20) func `what a consumer was given at a moment is what was noted before it`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var history = BandwidthHistory()
        let consumers = (1...3).map { ConsumerKey(rawValue: UInt64($0)) }
        var truth: [(at: MediaInstant, consumer: ConsumerKey, target: LayerPosition?, reason: LayerReason)] = []
        for step in 0..<100 {
            let consumer = consumers.randomElement(using: &random)!  // '!' okay: there are three.
            let target =
                Bool.random(using: &random)
                ? LayerPosition(spatial: Int.random(in: 0..<3, using: &random), temporal: 7) : nil
            let reason = LayerReason.allCases.randomElement(using: &random)!  // '!' okay: there are six.
            let at = start + .milliseconds(step * 150)
            history.observe(consumer, target, reason, cost: 1_000, nextStep: 0, at: at)
            truth.append((at, consumer, target, reason))
        }
        for consumer in consumers {
            for step in 0..<100 {
                let moment = start + .milliseconds(step * 150 + 70)
                let expected = truth.last { $0.consumer == consumer && $0.at <= moment }
                let found = history.change(of: consumer, at: moment)
                #expect(found?.reason == expected?.reason)
                #expect(found?.layers.map { Int($0.spatial) } == expected?.target.map(\.spatial))
            }
        }
    }

    @Test func `changes are bounded, and what is given now is known however old it is`() {
        var history = BandwidthHistory()
        let quiet = ConsumerKey(rawValue: 1)
        history.observe(quiet, .highest, .wanted, cost: 1, nextStep: 0, at: start)
        for step in 1...5_000 {
            history.observe(
                ConsumerKey(rawValue: 2), .highest, step % 2 == 0 ? .hold : .budget, cost: 1, nextStep: 1,
                at: start + .milliseconds(step))
        }
        #expect(history.changes.count <= BandwidthHistory.changeCount)
        #expect(history.change(of: quiet, at: start + .seconds(5))?.reason == .wanted)
        history.remove(quiet)
        #expect(history.current.map(\.consumer.rawValue) == [2])
    }
}
