import Testing

@testable import RoundhouseMedia

private func ms(_ milliseconds: Int) -> MediaInstant {
    MediaInstant(nanoseconds: 1_000_000_000) + .milliseconds(milliseconds)
}

@Suite("Stream scores")
struct StreamScoreTests {
    typealias Interval = StreamScore.Interval

    @Test(
        arguments: [
            (Interval(packets: 0, lost: 0), 10), (Interval(packets: 100, lost: 0), 10),
            (Interval(packets: 100, lost: 1), 10), (Interval(packets: 100, lost: 5), 8),
            (Interval(packets: 100, lost: 10), 7), (Interval(packets: 100, lost: 50), 1),
            (Interval(packets: 100, lost: 100), 0), (Interval(packets: 100, lost: 400), 0),
            (Interval(packets: 0, lost: 7), 0),
            // Everything repaired at the first try: (1/1.1)^4 of it counts as delivered.
            (Interval(packets: 100, lost: 10, repaired: 10, retransmitted: 10), 9),
            // Three tries for each.
            (Interval(packets: 100, lost: 10, repaired: 10, retransmitted: 30), 7),
            // More repairs than losses, and fewer retransmissions than repairs, are no bonus.
            (Interval(packets: 100, lost: 10, repaired: 90, retransmitted: 3), 9),
        ])
    func `an interval's score follows from losses, repairs and what these cost`(_ row: (Interval, Int)) {
        #expect(Int(row.0.score) == row.1)
    }

    @Test func `newer reports weigh more, and only the last 24 count`() {
        var score = StreamScore()
        check(!score.report(Interval(packets: 100, lost: 0)))
        check(score.report(Interval(packets: 100, lost: 100)) && score.value == 3, "(1 × 10 + 2 × 0) / 3")
        for _ in 0..<23 { _ = score.report(Interval(packets: 100, lost: 100)) }
        #expect(score.value == 0)
        for _ in 0..<24 { _ = score.report(Interval(packets: 100, lost: 0)) }
        #expect(score.value == 10)
        check(score.reset(to: 0) && score.value == 0)
        check(score.report(Interval(packets: 5, lost: 0)) && score.value == 10, "a reset forgets what was before")
        check(!score.reset(to: 200) && score.value == 10)
    }

    @Test func `counters become differences, and may start again or go down`() {
        var counters = ScoreCounters()
        check(
            counters.interval(packets: 100, lost: 3, repaired: 1, retransmitted: 2)
                == Interval(packets: 100, lost: 3, repaired: 1, retransmitted: 2))
        check(
            counters.interval(packets: 150, lost: 1, repaired: 1, retransmitted: 2)
                == Interval(packets: 50, lost: 0))
        check(counters.interval(packets: 10, lost: -5, repaired: 0, retransmitted: 0) == Interval(packets: 10, lost: 0))
        check(
            counters.interval(packets: .max, lost: .max, repaired: .max, retransmitted: .max).packets == .max - 10)
        check(counters.interval(packets: 0, lost: .min, repaired: 0, retransmitted: 0).lost <= 1)
    }

    @Test(arguments: [false, true])
    func `an encoding is inactive after 1.5 s without a packet, 5 s with DTX`(usesDTX: Bool) {
        let timeout = usesDTX ? 5000 : 1500
        var monitor = InactivityMonitor(usesDTX: usesDTX)
        check(monitor.nextDeadline == nil && monitor.deadlineReached(at: ms(9999)) == nil)
        check(monitor.packetReceived(at: ms(0)) == .becameActive)
        check(monitor.packetReceived(at: ms(100)) == nil)
        #expect(monitor.nextDeadline == ms(100 + timeout))
        check(monitor.deadlineReached(at: ms(99 + timeout)) == nil)
        check(monitor.isActive)
        check(monitor.deadlineReached(at: ms(100 + timeout)) == .becameInactive)
        check(!monitor.isActive && monitor.nextDeadline == nil && monitor.deadlineReached(at: ms(99_999)) == nil)
        check(monitor.packetReceived(at: ms(99_999)) == .becameActive)
    }

    @Test func `a paused encoding does not fall silent; resuming gives it the whole time again`() {
        var monitor = InactivityMonitor()
        _ = monitor.packetReceived(at: ms(0))
        monitor.paused()
        check(monitor.nextDeadline == nil && monitor.deadlineReached(at: ms(60_000)) == nil)
        monitor.resumed(at: ms(60_000))
        check(monitor.deadlineReached(at: ms(61_499)) == nil)
        check(monitor.deadlineReached(at: ms(61_500)) == .becameInactive)
    }

    @Test func `bitrates by layer: what a receiver of each gets`() {
        var rates = LayerRates(spatialLayers: 2, temporalLayers: 2, window: .seconds(1))
        func layers(_ spatial: UInt8, _ temporal: UInt8) -> PacketLayers {
            var layers = PacketLayers()
            (layers.spatialLayer, layers.temporalLayer) = (spatial, temporal)
            return layers
        }
        for time in stride(from: 0, to: 1000, by: 10) {
            rates.add(layers(0, 0), bytes: 100, at: ms(time))
            rates.add(layers(0, 1), bytes: 50, at: ms(time))
            rates.add(layers(1, 0), bytes: 400, at: ms(time))
            // Beyond what was announced.
            rates.add(layers(7, 7), bytes: 25, at: ms(time))
        }
        var found: [String: UInt64] = [:]
        rates.forEach(at: ms(999)) { found["\($0).\($1)"] = $2 }
        #expect(found == ["0.0": 80_000, "0.1": 120_000, "1.0": 440_000, "1.1": 460_000])
        for (spatial, temporal) in [(-1, 0), (0, -1), (2, 0), (0, 2)] {
            check(rates.bitrate(spatial: spatial, temporal: temporal, at: ms(999)) == 0)
        }
        rates.add(layers(0, 0), bytes: 100, at: ms(2500))
        found = [:]
        rates.forEach(at: ms(2500)) { found["\($0).\($1)"] = $2 }
        #expect(found == ["0.0": 800])
    }

    @Test func `a stream of one layer has no bitrates by layer`() {
        var rates = LayerRates(spatialLayers: 1, temporalLayers: 0)
        rates.add(PacketLayers(), bytes: 100, at: ms(0))
        rates.forEach(at: ms(0)) { _, _, _ in Issue.record("a layer") }
        check(rates.bitrate(spatial: 0, temporal: 0, at: ms(0)) == 0)
    }

    @Test func `the sender hears of its worst receiver`() {
        var loss = MaximumReceiverLoss()
        #expect(loss.fractionLost(own: 3) == 3)
        for fraction: UInt8 in [0, 40, 12] { loss.add(fraction) }
        #expect(loss.fractionLost(own: 3) == 40 && loss.fractionLost(own: 41) == 41)
    }

    @Test func `Opus packets without sound are marked for those who do without them`() {
        var reader = LayerReader(codec: .opus)
        func isDTX(_ hex: String) -> Bool {
            WireSamples.hex(hex).withUnsafeBytes {
                reader.read(payload: $0, descriptor: UnsafeRawBufferPointer(start: nil, count: 0), sequence: 1).flags
                    .contains(.isDTX)
            }
        }
        check(isDTX("78") && isDTX("7a00") && !isDTX("7801") && !isDTX(""))
    }
}
