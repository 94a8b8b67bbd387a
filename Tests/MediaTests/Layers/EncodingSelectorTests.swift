import Testing

@testable import RoundhouseMedia

private func ms(_ milliseconds: Int) -> MediaInstant {
    MediaInstant(nanoseconds: 1_000_000_000) + .milliseconds(milliseconds)
}

/// A selector with what its shard keeps beside it.
private struct Bench: ~Copyable {
    var selector: EncodingSelector
    var temporal = TemporalSelector()
    var source: SourceEncodings
    var timestamps = TimestampRewriter(clockRate: 90_000)
    var packetLayers = PacketLayers()

    init(_ encodings: Int) {
        selector = EncodingSelector(encodings: encodings)
        source = SourceEncodings(count: encodings, clockRate: 90_000)
    }

    /// Each encoding's RTP clock starts at another number: `encoding * 1_000_000`.
    static func timestamp(_ encoding: Int, at milliseconds: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: encoding * 1_000_000 + milliseconds * 90)
    }

    mutating func report(_ encoding: Int, at milliseconds: Int, error: Int = 0) {
        let ntp = UInt64(milliseconds) << 32 / 1000
        source.senderReportReceived(
            encoding: encoding,
            SenderReportInfo(
                ntp: ntp, rtpTimestamp: Self.timestamp(encoding, at: milliseconds + error), arrival: ms(milliseconds)))
    }

    mutating func give(
        _ encoding: Int, key: Bool = false, at milliseconds: Int, sequence: UInt64 = 100
    ) -> LayerDecision.Action {
        source.packetReceived(encoding: encoding, at: ms(milliseconds))
        return selector.packetReceived(
            encoding: encoding, packetLayers, isKeyFrame: key, sequence: sequence,
            timestamp: Self.timestamp(encoding, at: milliseconds), source: source, temporal: &temporal,
            timestamps: &timestamps, at: ms(milliseconds)
        ).action
    }

    /// What is being sent; `nil` while nothing is.
    var layers: LayerPosition? { selector.spatial.map { LayerPosition(spatial: $0, temporal: Int(temporal.current)) } }

    mutating func reset() {
        selector.reset()
        temporal.reset()
    }

    mutating func update(_ milliseconds: Int) -> Int? {
        selector.updateTarget(source, temporal: &temporal, at: ms(milliseconds))
        return selector.wantedKeyFrame
    }
}

@Suite("EncodingSelector")
struct EncodingSelectorTests {
    private func expect<T: Equatable>(
        _ actual: T, _ expected: T, sourceLocation: SourceLocation = #_sourceLocation
    ) { #expect(actual == expected, sourceLocation: sourceLocation) }

    @Test func `the first encoding heard of is sent from its key frame on`() {
        var bench = Bench(3)
        expect(bench.update(0), nil)
        expect(bench.give(0, at: 0), .hold)
        expect(bench.selector.wantedKeyFrame, 0)
        expect(bench.give(0, key: true, at: 10), .begin)
        expect(bench.give(0, at: 20), .forward)
        expect(bench.give(2, key: true, at: 20), .discard)
        expect(bench.selector.currentEncoding, 0)
    }

    @Test func `a better encoding must have been there for two seconds; then it is sent, reports or not`() {
        for isReported in [false, true] {
            var bench = Bench(2)
            expect(bench.give(0, key: true, at: 0), .begin)
            for time in stride(from: 100, through: 2100, by: 100) {
                _ = bench.give(0, at: time)
                _ = bench.give(1, at: time)
            }
            if isReported { for encoding in 0..<2 { bench.report(encoding, at: 2000) } }
            expect(bench.update(2099), nil)
            expect(bench.update(2100), 1)
            expect(bench.give(1, at: 2110), .hold)
            expect(bench.give(0, at: 2110), .forward)
            expect(bench.give(1, key: true, at: 2133), .begin)
            expect(bench.layers, LayerPosition(spatial: 1, temporal: 7))
            expect(bench.give(0, at: 2133), .discard)
        }
    }

    @Test func `what is being sent needs no further proof once a lower encoding can follow it`() {
        var bench = Bench(3)
        expect(bench.give(1, key: true, at: 0), .begin)
        _ = bench.give(0, at: 10)
        for encoding in 0..<2 { bench.report(encoding, at: 100) }
        expect(bench.update(200), nil)
        expect(bench.selector.canChoose(0, hasLower: false, of: bench.source, at: ms(200)), true)
        expect(bench.selector.canChoose(1, hasLower: true, of: bench.source, at: ms(200)), true)
        expect(bench.selector.canChoose(2, hasLower: true, of: bench.source, at: ms(200)), false)
        expect(bench.give(1, at: 210), .forward)
    }

    @Test func `an encoding without a report is waited for as long as the first report may take, not forever`() {
        for isTargetReported in [false, true] {
            var bench = Bench(2)
            bench.selector.prefer(LayerPosition(spatial: 0, temporal: 7))
            expect(bench.give(1, key: true, at: 0), .begin)
            for time in stride(from: 0, through: 5000, by: 100) {
                _ = bench.give(1, at: time)
                if time >= 3000 { _ = bench.give(0, at: time) }
            }
            // The one that has no report has been sent for two seconds at 5000, or for five.
            if isTargetReported { bench.report(0, at: 3000) } else { bench.report(1, at: 100) }
            expect(bench.update(4999), isTargetReported ? 0 : nil)
            expect(bench.update(5000), 0)
        }
    }

    @Test func `placed by arrival, a new encoding goes on where the old one would be, and so does the next`() {
        var bench = Bench(3)
        var first: (timestamp: UInt32, time: Int)?
        var newest: UInt32?
        var expected = 2
        for tick in stride(from: 0, to: 12_000, by: 40) {
            if tick >= 4000, tick % 2000 == 0 {
                expected = [0, 2, 1, 0][tick / 2000 - 2]
                bench.selector.prefer(LayerPosition(spatial: expected, temporal: 7))
            }
            _ = bench.update(tick)
            for encoding in 0..<3 {
                let time = tick + encoding
                let action = bench.give(encoding, key: tick % 400 == 0, at: time, sequence: UInt64(tick))
                guard action == .begin || action == .forward else { continue }
                let timestamp = bench.timestamps.rewrite(Bench.timestamp(encoding, at: time), at: ms(time))
                if first == nil { first = (timestamp, time) }
                if let first { expect(Int(timestamp &- first.timestamp), (time - first.time) * 90) }
                if let newest { #expect(Int32(bitPattern: timestamp &- newest) > 0) }
                newest = timestamp
            }
            if tick % 2000 == 1000, tick > 2000 { expect(bench.selector.currentEncoding, expected) }
        }
    }

    @Test func `a reference that ends without a report binds nobody, one with a report still gives the time`() {
        for isReported in [false, true] {
            var bench = Bench(3)
            expect(bench.give(2, key: true, at: 0), .begin)
            if isReported { bench.report(2, at: 0) }
            let sent = bench.timestamps.rewrite(Bench.timestamp(2, at: 0), at: ms(0))
            for time in stride(from: 40, to: 1500, by: 40) {
                expect(bench.give(2, at: time), .forward)
                _ = bench.timestamps.rewrite(Bench.timestamp(2, at: time), at: ms(time))
            }
            for time in stride(from: 1500, through: 3000, by: 20) {
                for encoding in 0..<2 { bench.source.packetReceived(encoding: encoding, at: ms(time)) }
            }
            for encoding in 0..<2 { bench.report(encoding, at: 1500) }
            expect(bench.update(2900), nil)
            expect(bench.update(3000), 0)
            expect(bench.give(0, key: true, at: 3010), .begin)
            let next = bench.timestamps.rewrite(Bench.timestamp(0, at: 3010), at: ms(3010))
            #expect(abs(Int(next &- sent) - 3010 * 90) <= 1)
        }
    }

    @Test(arguments: [-6000, 6000])
    func `reports that contradict what arrives by more than five seconds place nothing`(error: Int) {
        var bench = Bench(2)
        bench.report(0, at: 0)
        bench.report(1, at: 0, error: error)
        expect(bench.give(0, key: true, at: 1000), .begin)
        for time in stride(from: 1000, through: 4000, by: 100) {
            for encoding in 0..<2 { bench.source.packetReceived(encoding: encoding, at: ms(time)) }
        }
        let sent = bench.timestamps.rewrite(Bench.timestamp(0, at: 4000), at: ms(4000))
        expect(bench.update(4000), 1)
        expect(bench.give(1, key: true, at: 4040), .begin)
        expect(bench.timestamps.rewrite(Bench.timestamp(1, at: 4040), at: ms(4040)) &- sent, 40 * 90)
    }

    @Test func `what is preferred is the most that is sent where something lower is there`() {
        var bench = Bench(3)
        for time in stride(from: 0, through: 3000, by: 100) {
            for encoding in [0, 2] { bench.source.packetReceived(encoding: encoding, at: ms(time)) }
        }
        bench.selector.prefer(LayerPosition(spatial: 1, temporal: 0))
        expect(bench.update(3000), 0)
        bench.source.scoreChanged(encoding: 0, to: 0)
        expect(bench.update(3000), 2)
        bench.source.packetReceived(encoding: 1, at: ms(3000))
        expect(bench.update(3000), 1)
    }

    @Test func `somebody who joins late gets the best encoding at once`() {
        var bench = Bench(3)
        for encoding in 0..<3 {
            bench.report(encoding, at: 0)
            for time in stride(from: 0, through: 3000, by: 100) {
                bench.source.packetReceived(encoding: encoding, at: ms(time))
            }
        }
        expect(bench.update(3000), 2)
        bench.selector.prefer(LayerPosition(spatial: 1, temporal: 1))
        expect(bench.update(3000), 1)
        expect(bench.give(1, key: true, at: 3000), .begin)
        expect(bench.layers, LayerPosition(spatial: 1, temporal: 1))
        bench.selector.prefer(LayerPosition(spatial: 99, temporal: 99))
        expect(bench.update(3000), 2)
    }

    @Test func `a silent encoding, or one of score zero, is replaced by the best of the others`() {
        var bench = Bench(3)
        for encoding in 0..<3 { bench.report(encoding, at: 0) }
        for time in stride(from: 0, through: 3000, by: 100) {
            for encoding in 0..<3 { bench.source.packetReceived(encoding: encoding, at: ms(time)) }
        }
        expect(bench.update(3000), 2)
        expect(bench.give(2, key: true, at: 3000), .begin)
        for time in stride(from: 3100, through: 4500, by: 100) {
            for encoding in 0..<2 { bench.source.packetReceived(encoding: encoding, at: ms(time)) }
        }
        expect(bench.update(4499), nil)
        expect(bench.update(4500), 1)
        bench.source.scoreChanged(encoding: 1, to: 0)
        expect(bench.update(4500), 0)
        // All silent: what was sent last goes on if it comes back first.
        expect(bench.update(6000), nil)
        expect(bench.layers, nil)
        bench.source.scoreChanged(encoding: 1, to: 10)
        expect(bench.give(2, at: 6001), .forward)
        expect(bench.update(6001), nil)
        expect(bench.layers, LayerPosition(spatial: 2, temporal: 7))
    }

    @Test func `if all have fallen silent, a consumer without a picture waits for the best one sent last`() {
        var bench = Bench(3)
        expect(bench.update(0), nil)
        bench.source.packetReceived(encoding: 2, at: ms(0))
        for time in stride(from: 0, through: 2000, by: 100) {
            for encoding in 0..<2 { bench.source.packetReceived(encoding: encoding, at: ms(time)) }
        }
        for encoding in 0..<3 { bench.source.scoreChanged(encoding: encoding, to: 0) }
        expect(bench.update(60_000), 1)
        bench.selector.prefer(LayerPosition(spatial: 0, temporal: 0))
        expect(bench.update(60_000), 0)
        expect(bench.layers, nil)
        // Another one is the first to be sent again.
        bench.source.scoreChanged(encoding: 2, to: 10)
        expect(bench.give(2, key: true, at: 60_100), .begin)
        expect(bench.update(120_000), nil)
    }

    @Test func `a higher encoding that is the only one is sent with its base layer alone`() {
        var bench = Bench(3)
        bench.selector.prefer(LayerPosition(spatial: 0, temporal: 2))
        bench.source.packetReceived(encoding: 1, at: ms(0))
        expect(bench.update(0), 1)
        expect(bench.give(1, key: true, at: 1), .begin)
        expect(bench.layers, LayerPosition(spatial: 1, temporal: 0))
    }

    @Test func `the only encoding may be silent for as long as it likes`() {
        var bench = Bench(1)
        expect(bench.give(0, key: true, at: 0), .begin)
        expect(bench.update(60_000), nil)
        expect(bench.give(0, at: 60_000), .forward)
    }

    @Test func `timestamps go on where the new encoding's picture belongs`() {
        var bench = Bench(2)
        bench.report(0, at: 0)
        bench.report(1, at: 0)
        expect(bench.give(0, key: true, at: 1000), .begin)
        let first = bench.timestamps.rewrite(Bench.timestamp(0, at: 1000), at: ms(1000))
        for time in stride(from: 1000, through: 4000, by: 100) {
            bench.source.packetReceived(encoding: 1, at: ms(time))
        }
        bench.source.packetReceived(encoding: 0, at: ms(4000))
        expect(bench.update(4000), 1)
        expect(bench.give(1, key: true, at: 4040), .begin)
        let second = bench.timestamps.rewrite(Bench.timestamp(1, at: 4040), at: ms(4040))
        // Fixed point rounds by at most one unit.
        #expect(abs(Int(second &- first) - 3040 * 90) <= 1)
    }

    @Test func `a key frame that would be moved by more than 75 ms is left for the next, once`() {
        for isStillBehind in [false, true] {
            var bench = Bench(2)
            bench.report(0, at: 0)
            // The report says that encoding 1 is 200 ms behind.
            bench.report(1, at: 0, error: 200)
            expect(bench.give(0, key: true, at: 1000), .begin)
            for time in stride(from: 1000, through: 4000, by: 100) {
                bench.source.packetReceived(encoding: 1, at: ms(time))
            }
            let sent = bench.timestamps.rewrite(Bench.timestamp(0, at: 4000), at: ms(4000))
            bench.source.packetReceived(encoding: 0, at: ms(4000))
            expect(bench.update(4000), 1)
            expect(bench.give(1, key: true, at: 4040, sequence: 7), .discard)
            expect(bench.give(1, at: 4040, sequence: 8), .hold)
            expect(bench.selector.wantedKeyFrame, 1)
            if !isStillBehind { bench.report(1, at: 4100) }
            expect(bench.give(1, key: true, at: 4140, sequence: 20), .begin)
            let next = bench.timestamps.rewrite(Bench.timestamp(1, at: 4140), at: ms(4140))
            if isStillBehind { expect(next &- sent, 1) } else { #expect(abs(Int(next &- sent) - 140 * 90) <= 1) }
        }
    }

    @Test func `packets that came before their key frame's first packet are to be sent behind it`() {
        var bench = Bench(1)
        expect(bench.give(0, at: 0, sequence: 41), .hold)
        expect(bench.give(0, at: 0, sequence: 43), .hold)
        expect(bench.give(0, at: 0, sequence: 42), .hold)
        expect(bench.give(0, key: true, at: 0, sequence: 40), .begin)
        expect(bench.selector.heldThrough, 43)
        expect(bench.give(0, at: 0, sequence: 44), .forward)
        bench.reset()
        expect(bench.give(0, key: true, at: 0, sequence: 50), .begin)
        expect(bench.selector.heldThrough, 50)
    }

    @Test func `a key frame far behind what was held is an old one`() {
        var bench = Bench(1)
        expect(bench.give(0, at: 0, sequence: 1013), .hold)
        expect(bench.give(0, key: true, at: 0, sequence: 500), .hold)
        expect(bench.give(0, key: true, at: 0, sequence: 501), .begin)
    }

    @Test(arguments: [-1, 2, 200])
    func `numbers outside the producer's encodings are discarded`(encoding: Int) {
        var bench = Bench(2)
        expect(bench.give(encoding, key: true, at: 0), .discard)
        bench.source.reset(encoding: encoding)
        expect(bench.source.isActive(encoding, at: ms(0)), false)
        expect(bench.source.translate(1, from: encoding, to: 0), nil)
    }

    @Test func `through fifty switches numbers have gaps only at cut pictures, and timestamps keep time`() {
        var bench = Bench(3)
        var numbers = SequenceRewriter(firstOutput: 1)
        var sequences: [UInt64] = [10, 20_000, 40_000]
        var lastNumber: UInt64 = 0
        var lastTimestamp: UInt32?
        var firstTimestamp: (UInt32, Int)?
        var switches = 0
        for encoding in 0..<3 { bench.report(encoding, at: 0) }
        for time in stride(from: 0, through: 150_000, by: 40) {
            if time % 1000 == 0 {
                for encoding in 0..<3 { bench.report(encoding, at: time, error: (time / 1000 * 7 + encoding) % 20) }
                _ = bench.update(time)
            }
            if time > 3000, time % 2400 == 0 {
                let next = ((bench.selector.currentEncoding ?? 0) + 1 + time / 2400 % 2) % 3
                bench.selector.prefer(LayerPosition(spatial: next, temporal: 2))
                _ = bench.update(time)
            }
            for encoding in 0..<3 {
                let isKey = time % 400 == 0
                for part in 0..<2 {
                    let action = bench.give(
                        encoding, key: isKey && part == 0, at: time, sequence: sequences[encoding])
                    defer { sequences[encoding] += 1 }
                    guard action == .begin || action == .forward else { continue }
                    if action == .begin {
                        switches += 1
                        numbers.synchronize(at: sequences[encoding], source: UInt8(encoding))
                    }
                    let number = numbers.rewrite(sequences[encoding])
                    if lastNumber != 0 { expect(number, lastNumber + 1) }
                    lastNumber = number ?? 0
                    let timestamp = bench.timestamps.rewrite(Bench.timestamp(encoding, at: time), at: ms(time))
                    if let lastTimestamp {
                        let step = Int32(bitPattern: timestamp &- lastTimestamp)
                        #expect(part == 1 ? step == 0 : step > 0 && step <= 90 * 120)
                    }
                    lastTimestamp = timestamp
                    if firstTimestamp == nil { firstTimestamp = (timestamp, time) }
                }
            }
        }
        #expect(switches > 50)
        if let firstTimestamp, let lastTimestamp {
            let drift = Int(lastTimestamp &- firstTimestamp.0) - (150_000 - firstTimestamp.1) * 90
            #expect(abs(drift) < 90 * 60, "errors of single switches do not add up")
        }
        // The old encoding's late packets stay out.
        let late = numbers.rewrite(sequences[(bench.selector.currentEncoding ?? 0 + 1) % 3] - 1)
        if let late { #expect(late <= lastNumber) }
    }
}
