import Testing

@testable import RoundhouseMedia

@Suite("CongestionController")
struct CongestionControllerTests {
    @Test func `before anything is heard the start rate counts`() {
        let path = VirtualPath(rate: 1_000_000)
        #expect(path.controller.state.estimate == 600_000)
        #expect(path.controller.state.cause == .start)
        #expect(path.controller.nextDeadline == nil)
    }

    @Test func `a path that carries less than is sent is found out, and the queue drains`() {
        var path = VirtualPath(rate: 300_000)
        path.run(for: .seconds(10)) { $0.state.estimate }
        #expect(path.controller.state.estimate > 200_000)
        #expect(path.controller.state.estimate < 345_000)
        #expect(path.queue < .milliseconds(150))
    }

    @Test func `a source that always wants more gets most of what the path carries`() {
        var path = VirtualPath(rate: 2_000_000)
        path.run(for: .seconds(20)) { $0.state.estimate }
        #expect(path.controller.state.estimate > 1_600_000)
        #expect(path.controller.state.acknowledged > 1_600_000)
    }

    @Test func `what is sent below the estimate neither raises nor lowers it`() {
        var path = VirtualPath(rate: 5_000_000)
        path.run(for: .seconds(2)) { _ in 200_000 }
        let before = path.controller.state.estimate
        path.run(for: .seconds(60)) { _ in 200_000 }
        #expect(path.controller.state.estimate == before)
        #expect(path.controller.state.isApplicationLimited)
    }

    @Test(arguments: [6, 7, 8, 9, 10]) func `bursts that fill the path are no false alarms`(packets: Int) {
        var path = VirtualPath(rate: 500_000)
        path.run(for: .seconds(2)) { _ in 250_000 }
        // Key frames: each is gone by half when the feedback on it comes.
        for _ in 0..<6 {
            for _ in 0..<packets { path.send(1_200, .video) }
            path.run(for: .milliseconds(2_300)) { _ in 250_000 }
        }
        #expect(path.controller.state.estimate < 550_000)
        #expect(path.controller.state.estimate > 250_000)
    }

    @Test func `a wanted step that the path carries is proven by a probe`() {
        var path = VirtualPath(rate: 5_000_000)
        path.withController { controller, now in
            controller.setDemand(
                BandwidthDemand(allocated: 500_000, nextStep: 1_600_000, wanted: 1_600_000), at: now)
        }
        path.run(for: .seconds(6)) { _ in 500_000 }
        #expect(path.controller.state.estimate > 1_600_000)
        #expect(path.controller.raiseBudget >= 1_600_000)
    }

    @Test func `many steps that are wanted at first are not proven one by one`() {
        var path = VirtualPath(rate: 40_000_000)
        let wanted: UInt64 = 14_000_000
        var sent: UInt64 = 500_000
        // Each step is taken up as soon as it may be.
        for _ in 0..<25 {
            let allocated = sent
            path.withController { controller, now in
                let step = min(allocated + 600_000, wanted)
                controller.setDemand(
                    BandwidthDemand(allocated: allocated, nextStep: step > allocated ? step : 0, wanted: wanted),
                    at: now)
            }
            path.run(for: .milliseconds(100)) { _ in allocated }
            sent = max(sent, min(path.controller.raiseBudget, wanted))
        }
        #expect(sent == wanted, "after 2.5 seconds")
        #expect(path.controller.state.estimate < 20_000_000)
    }

    @Test func `a frozen controller goes on as if nothing had happened`() throws {
        var original = VirtualPath(rate: 1_000_000)
        var restored = VirtualPath(rate: 1_000_000)
        for round in 0..<8 {
            let duration = MediaDuration.milliseconds(700 + 37 * round)
            original.run(for: duration) { $0.state.estimate }
            restored.run(for: duration) { $0.state.estimate }
            #expect(restored.controller.state == original.controller.state)
            var writer = SnapshotWriter()
            restored.controller.write(to: &writer)
            var reader = SnapshotReader(writer.bytes)
            restored.replaceController(try CongestionController(restoring: &reader))
            #expect(reader.isAtEnd)
            #expect(restored.controller.nextDeadline == original.controller.nextDeadline)
        }
    }

    @Test func `damaged snapshots are refused, or harmless`() {
        var path = VirtualPath(rate: 1_000_000)
        path.run(for: .seconds(3)) { $0.state.estimate }
        var writer = SnapshotWriter()
        path.controller.write(to: &writer)
        var random = SplitMix(seed: 11)
        for _ in 0..<2_000 {
            var bytes = writer.bytes
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            var reader = SnapshotReader(bytes)
            guard let controller = try? CongestionController(restoring: &reader) else { continue }
            var damaged = VirtualPath(rate: 1_000_000)
            damaged.replaceController(controller)
            damaged.run(for: .milliseconds(200)) { _ in 500_000 }
        }
    }

    @Test func `feedback that lies changes nothing beyond what was sent`() {
        var path = VirtualPath(rate: 1_000_000)
        path.run(for: .seconds(3)) { _ in 300_000 }
        var random = SplitMix(seed: 5)
        for _ in 0..<5_000 {
            let count = Int.random(in: 1...60, using: &random)
            path.feedback(
                base: .random(in: 0...UInt16.max, using: &random),
                reference: .random(in: 0...0xFF_FFFF, using: &random),
                statuses: (0..<count).map { index in
                    index > 0 && Bool.random(using: &random)
                        ? .notReceived : .received(delta: .random(in: Int16.min...Int16.max, using: &random))
                })
            path.run(for: .milliseconds(3)) { _ in 300_000 }
            #expect(path.controller.state.estimate <= 2_000_000)
        }
    }
}
