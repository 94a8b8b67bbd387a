import Testing

@testable import RoundhouseMedia

private func at(_ milliseconds: Int) -> MediaInstant {
    MediaInstant(nanoseconds: 1 << 45) + .milliseconds(milliseconds)
}

@Suite("CongestionController without feedback")
struct CongestionFallbackTests {
    @Test func `a receiver's own estimate is the estimate where nothing else is heard`() {
        var controller = CongestionController(BitrateLimits(), at: at(0))
        controller.estimateReceived(1_700_000, at: at(500))
        #expect(controller.state.estimate == 1_700_000)
        #expect(controller.state.cause == .remb)
        controller.estimateReceived(400_000, at: at(1_500))
        #expect(controller.state.estimate == 400_000)
        #expect(controller.budget == 400_000)
        #expect(controller.relief == .none)
    }

    @Test func `beside feedback it is a cap, which can be lifted at once`() {
        var path = VirtualPath(rate: 5_000_000)
        path.run(for: .seconds(20)) { $0.state.estimate }
        let before = path.controller.state.estimate
        #expect(before > 3_000_000)
        path.withController { controller, now in controller.estimateReceived(500_000, at: now) }
        #expect(path.controller.state.estimate == 500_000)
        #expect(path.controller.state.cause == .remb)
        path.withController { controller, now in controller.estimateReceived(0, at: now) }
        #expect(path.controller.state.estimate == before)
    }

    @Test func `receiver reports raise slowly up to a megabit, and lower by what is lost`() {
        var controller = CongestionController(BitrateLimits(), at: at(0))
        for second in 1...20 {
            controller.reportReceived(fractionLost: 0, roundTripTime: .milliseconds(80), at: at(1_000 * second))
        }
        #expect(controller.state.estimate == CongestionController.largestWithoutFeedback)
        #expect(controller.state.roundTripTime == .milliseconds(80))
        controller.reportReceived(fractionLost: 64, roundTripTime: nil, at: at(21_000))
        #expect((850_000...900_000).contains(controller.state.estimate))
    }

    @Test func `limits hold at once, and are no memory`() {
        var path = VirtualPath(rate: 5_000_000)
        path.run(for: .seconds(20)) { $0.state.estimate }
        let before = path.controller.state.estimate
        path.withController { controller, now in
            controller.setLimits(BitrateLimits(maximum: 300_000), at: now)
        }
        #expect(path.controller.state.estimate == 300_000)
        #expect(path.controller.state.cause == .maxOutgoing)
        path.withController { controller, now in controller.setLimits(BitrateLimits(), at: now) }
        #expect(path.controller.state.estimate == before)
        path.withController { controller, now in
            controller.setLimits(BitrateLimits(minimum: 9_000_000), at: now)
        }
        #expect(path.controller.state.estimate == 9_000_000)
        #expect(path.controller.state.cause == .minOutgoing)
    }

    @Test func `silence asks for less and less, and what was believed comes back with the feedback`() {
        var path = VirtualPath(rate: 3_000_000)
        path.run(for: .seconds(10)) { _ in 500_000 }
        let before = path.controller.state.estimate
        path.givesFeedback = false
        path.run(for: .milliseconds(900)) { _ in 500_000 }
        #expect(path.controller.relief == .none)
        path.run(for: .milliseconds(500)) { _ in 500_000 }
        #expect(path.controller.relief == .temporal)
        path.run(for: .seconds(1)) { _ in 500_000 }
        #expect(path.controller.relief == .pause)
        path.run(for: .seconds(3)) { _ in 500_000 }
        #expect(path.controller.relief == .audioOnly)
        #expect(path.controller.state.cause == .feedbackSilence)
        path.givesFeedback = true
        path.run(for: .seconds(1)) { _ in 500_000 }
        #expect(path.controller.relief == .none)
        #expect(path.controller.state.estimate >= before * 8 / 10)
    }

    @Test func `where nothing is sent, nothing is missed, and no time is kept`() {
        var path = VirtualPath(rate: 3_000_000)
        path.run(for: .seconds(3)) { _ in 500_000 }
        path.run(for: .seconds(20)) { _ in 0 }
        #expect(path.controller.relief == .none)
        #expect(path.controller.nextDeadline == nil)
    }

    @Test func `a receiver that stops its feedback but still reports is not silent`() {
        var path = VirtualPath(rate: 3_000_000)
        path.run(for: .seconds(5)) { _ in 500_000 }
        path.givesFeedback = false
        for _ in 0..<6 {
            path.run(for: .seconds(1)) { _ in 500_000 }
            path.withController { controller, now in
                controller.reportReceived(fractionLost: 0, roundTripTime: .milliseconds(50), at: now)
            }
        }
        path.run(for: .seconds(1)) { _ in 500_000 }
        #expect(path.controller.relief == .none)
        #expect(path.controller.state.estimate <= CongestionController.largestWithoutFeedback)
    }

    @Test func `another path is trusted with half, and has to show the rest`() {
        var path = VirtualPath(rate: 5_000_000)
        path.run(for: .seconds(20)) { $0.state.estimate }
        let before = path.controller.state.estimate
        path.withController { controller, now in controller.pathChanged(at: now) }
        #expect(path.controller.state.estimate == before / 2)
        #expect(path.controller.state.cause == .routeChanged)
        path.rate = 800_000
        path.run(for: .seconds(8)) { $0.state.estimate }
        #expect(path.controller.state.estimate < 1_000_000)
    }
}
