import Testing

@testable import RoundhouseMedia

@Suite("Machines of layers and numberings, written down and restored")
struct LayerSnapshotTests {
    @Test func `a consumer's numbers go on, and lead back to the same packets`() throws {
        try SnapshotScript(countOffset: 8, SequenceRewriter(firstOutput: 32_000)) { rewriter, index, random, _ in
            let input = UInt64(70_000 + index + random.below(3))
            var said = ""
            switch random.below(12) {
            case 0 where random.isOne(in: 4) || index < 9:
                rewriter.synchronize(at: input, source: UInt8(random.below(3)), gap: UInt64(random.below(2)))
            case 1...4: rewriter.drop(input)
            case 5: said = "\(rewriter.rewrite(input - UInt64(random.below(90))) ?? 0)"
            default: said = "\(rewriter.rewrite(input) ?? 0)"
            }
            let back = UInt64(random.below(150))
            let output = rewriter.nextOutput > back ? rewriter.nextOutput - back : 0
            return said + " \(rewriter.original(ofOutput: output), default: "")"
                + " \(rewriter.lateOutput(input - back, ofPreviousSource: UInt8(random.below(3))) ?? 0)"
                + " \(rewriter.nextInput) \(rewriter.highestOutput ?? 0) \(rewriter.source ?? 99)"
        }.check()
    }

    @Test func `numbers behind the open run's beginning are refused`() throws {
        var rewriter = SequenceRewriter(firstOutput: 5)
        rewriter.synchronize(at: 0x100)
        var writer = SnapshotWriter()
        rewriter.write(to: &writer)
        var bytes = writer.bytes
        // The next input: behind the next output, no history and the open run.
        let place = 8 + 2 + 1 + 22
        #expect(bytes[place + 1] == 1)
        bytes[place + 1] = 0
        #expect(throws: WireError.malformed) {
            var reader = SnapshotReader(bytes)
            _ = try SequenceRewriter(restoring: &reader)
        }
    }

    @Test func `timestamps stay on one line`() throws {
        try SnapshotScript(TimestampRewriter(clockRate: 90_000)) { rewriter, index, random, now in
            let timestamp = UInt32(truncatingIfNeeded: 4_294_900_000 + index * 2000)
            let aligned = random.isOne(in: 2) ? nil : rewriter.preview(timestamp)
            var said = "\(rewriter.excess(first: timestamp, aligned: aligned, at: now)) "
            said += "\(rewriter.isPlausible(UInt32(truncatingIfNeeded: random.next()), at: now)) "
            if random.isOne(in: 20) { rewriter.squeeze(first: timestamp) }
            if random.isOne(in: 9) { said += "\(rewriter.switchSource(first: timestamp, aligned: aligned, at: now))" }
            return said + " \(rewriter.rewrite(timestamp, at: now)) \(rewriter.highest ?? 0) \(rewriter.currentOffset)"
        }.check()
    }

    @Test func `pictures keep their names`() throws {
        try SnapshotScript(PictureIDRewriter()) { rewriter, index, random, _ in
            let picture = 32_700 + index - random.below(random.isOne(in: 6) ? 140 : 3)
            let layers = TemporalSelectorTests.layers(
                TemporalSelectorTests.vp8(picture: picture & 0x7FFF, tl0: picture / 2, temporal: picture % 2))
            switch random.below(40) {
            case 0: rewriter.synchronize(layers)
            case 1...12: rewriter.drop(layers)
            default: break
            }
            let name = rewriter.rewrite(layers)
            return "\(name?.pictureID ?? 0) \(name?.tl0PictureIndex ?? 0) \(rewriter.isOmitted(layers))"
        }.check()
    }

    @Test func `temporal layers go on, late pictures too`() throws {
        try SnapshotScript(countOffset: 0, TemporalSelector()) { selector, index, random, _ in
            let number = 100 + index - (random.isOne(in: 5) ? random.below(20) : 0)
            let temporal = [0, 2, 1, 2][number % 4]
            let layers = TemporalSelectorTests.layers(
                TemporalSelectorTests.vp8(picture: number, temporal: temporal, sync: random.isOne(in: 3)))
            if random.isOne(in: 8) { selector.setTarget(random.below(4)) }
            if random.isOne(in: 30) { selector.isLimitedToBase.toggle() }
            if random.isOne(in: 50) { selector.reset() }
            let timestamp = UInt32(number) &* 3000
            if random.isOne(in: 40) { selector.begin(timestamp: timestamp, sequence: UInt64(number), spatial: 0) }
            let order = selector.order(of: timestamp, sequence: UInt64(number))
            if order == .late { return "\(selector.lateVerdict(layers, timestamp: timestamp))" }
            let isWanted = selector.packetReceived(layers, spatial: 0, isNext: order == .next)
            return "\(order) \(isWanted) \(selector.current)"
        }.check()
    }

    /// What a shard keeps for a consumer of several encodings.
    private struct Simulcast: Restorable, ~Copyable {
        var selector = EncodingSelector(encodings: 3)
        var temporal = TemporalSelector()
        var source = SourceEncodings(count: 3, clockRate: 90_000)
        var timestamps = TimestampRewriter(clockRate: 90_000)

        init() {}

        init(restoring reader: inout SnapshotReader) throws(WireError) {
            self.init()
            source = try reader.read()
            selector = try reader.read()
            temporal = try reader.read()
            timestamps = try reader.read()
        }

        func write(to writer: inout SnapshotWriter) {
            writer.write(source)
            writer.write(selector)
            writer.write(temporal)
            writer.write(timestamps)
        }
    }

    @Test func `a choice among encodings goes on, their clocks with it`() throws {
        try SnapshotScript(steps: 400, countOffset: 1, Simulcast()) { flow, index, random, now in
            let encoding = random.below(3)
            let time = index * 900
            let timestamp = UInt32(truncatingIfNeeded: encoding &* 1_000_000_000 &+ time)
            switch random.below(14) {
            case 0:
                let report = SenderReportInfo(ntp: UInt64(index) << 26, rtpTimestamp: timestamp, arrival: now)
                flow.source.senderReportReceived(encoding: encoding, report)
            case 1: flow.selector.prefer(LayerPosition(spatial: random.below(3), temporal: random.below(3)))
            case 2...4: flow.selector.updateTarget(flow.source, temporal: &flow.temporal, at: now)
            case 5 where random.isOne(in: 3): flow.source.scoreChanged(encoding: encoding, to: UInt8(random.below(11)))
            case 6 where random.isOne(in: 10):
                flow.selector.reset()
                flow.temporal.reset()
            case 7 where random.isOne(in: 5):
                flow.source.reset(encoding: encoding)
                flow.selector.encodingRestarted(encoding)
            case 8 where random.isOne(in: 5): flow.temporal.isLimitedToBase.toggle()
            default: break
            }
            // The highest encoding is away for a while.
            guard encoding < 2 || index % 200 < 100 else { return "\(flow.selector.wantedKeyFrame ?? -1)" }
            flow.source.packetReceived(encoding: encoding, at: now)
            let layers = TemporalSelectorTests.layers(
                TemporalSelectorTests.vp8(picture: index, temporal: index % 3, sync: index % 5 == 0))
            let decision = flow.selector.packetReceived(
                encoding: encoding, layers, isKeyFrame: random.isOne(in: 6), sequence: UInt64(70_000 + index),
                timestamp: timestamp, source: flow.source, temporal: &flow.temporal,
                timestamps: &flow.timestamps, at: now)
            let sent = decision.action == .forward || decision.action == .begin
            let output = sent ? flow.timestamps.rewrite(timestamp, at: now) : 0
            return "\(decision) \(output) \(flow.selector.heldThrough) \(flow.selector.target)"
                + " \(flow.selector.spatial ?? -1) \(flow.temporal.current)"
                + " \(flow.source.silentTarget(preferred: 2) ?? -1) \(flow.selector.wantedKeyFrame ?? -1)"
        }.check()
    }

    /// Pictures of three spatial layers, out of order here and there.
    static func packets(isKSVC: Bool) -> [SVCStream.Packet] {
        var stream = SVCStream(isKSVC: isKSVC)
        var packets: [SVCStream.Packet] = []
        for picture in 0..<80 {
            stream.spatialLayers = picture % 40 < 30 ? 3 : 2
            packets += stream.picture(isKey: picture % 13 == 0)
        }
        for index in stride(from: 5, to: packets.count - 9, by: 11) { packets.swapAt(index, index + 8) }
        return packets
    }

    /// What a shard keeps for a consumer of one stream with spatial layers.
    private struct Scalable: Restorable {
        var spatial: SVCSelector
        var temporal = TemporalSelector()

        init(isKSVC: Bool) { spatial = SVCSelector(spatialLayers: 3, isKSVC: isKSVC) }

        init(restoring reader: inout SnapshotReader) throws(WireError) {
            temporal = try reader.read()
            spatial = try reader.read()
        }

        func write(to writer: inout SnapshotWriter) {
            writer.write(temporal)
            writer.write(spatial)
        }
    }

    @Test(arguments: [false, true]) func `a choice among spatial layers goes on`(isKSVC: Bool) throws {
        let packets = Self.packets(isKSVC: isKSVC)
        try SnapshotScript(steps: 400, countOffset: 0, Scalable(isKSVC: isKSVC)) { flow, index, random, _ in
            if random.isOne(in: 9) { flow.spatial.setTarget(random.below(3)) }
            if random.isOne(in: 9) { flow.temporal.setTarget(random.below(3)) }
            if random.isOne(in: 60) {
                flow.spatial.reset()
                flow.temporal.reset()
            }
            if random.isOne(in: 40) { flow.temporal.isLimitedToBase.toggle() }
            let packet = packets[index]
            let decision = flow.spatial.packetReceived(
                packet.layers, isKeyFrame: packet.isKeyFrame, sequence: packet.sequence, timestamp: packet.timestamp,
                temporal: &flow.temporal)
            return "\(decision) \(flow.spatial.spatial ?? -1) \(flow.temporal.current) \(flow.spatial.heldThrough)"
                + " \(flow.spatial.wantsKeyFrame)"
        }.check()
    }
}
