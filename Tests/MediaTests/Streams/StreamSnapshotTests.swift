import Testing

@testable import RoundhouseMedia

@Suite("Machines of one stream, written down and restored")
struct StreamSnapshotTests {
    /// A stream's next sequence number: over a roll-over, with losses, repetitions, late packets and a restart.
    private static func sequence(_ index: Int, _ random: inout SplitMix) -> UInt16 {
        let restart = index < 220 ? 0 : 30_000
        let late = random.isOne(in: 5) ? random.below(30) : 0
        return UInt16(truncatingIfNeeded: 65_450 + index * 2 + restart - late)
    }

    @Test func `an extender goes on over roll-overs, jumps and restarts`() throws {
        try SnapshotScript(SequenceExtender()) { extender, index, random, _ in
            let outcome = extender.extend(Self.sequence(index, &random))
            let nearest = extender.nearest(UInt16(truncatingIfNeeded: random.next())) ?? 0
            return "\(outcome) \(nearest) \(extender.reportedHighest) \(extender.expected)"
        }.check()
    }

    @Test func `an extender's bytes are those of this version`() {
        var extender = SequenceExtender()
        var writer = SnapshotWriter()
        writer.write(extender)
        for sequence in [0x1234, 0x1236, 0x8000] as [UInt16] { _ = extender.extend(sequence) }
        writer.write(extender)
        #expect(writer.bytes == [0, 1, 0x36, 0x12, 1, 0, 0, 0, 0, 0, 0x34, 0x12, 1, 0, 0, 0, 0, 0, 1, 0x01, 0x80])
    }

    @Test func `a receive stream goes on with its reports, duplicates, jitter and figures`() throws {
        let make = {
            ReceiveStream(ssrc: SSRC(1), rtxSSRC: SSRC(2), clockRate: 90_000, rateWindow: .milliseconds(2500))
        }
        try SnapshotScript(make()) { stream, index, random, now in
            let sequence = Self.sequence(index, &random)
            var said = ""
            switch random.below(12) {
            case 0:
                said =
                    "\(stream.retransmissionReceived(sequence: UInt16(truncatingIfNeeded: 65_500 + index), originalSequence: sequence &- UInt16(random.below(40)), payloadLength: 90, at: now))"
            case 1: stream.paddingReceived(rtxSequence: UInt16(truncatingIfNeeded: 65_500 + index), at: now)
            case 2:
                stream.senderReportReceived(
                    ntp: random.next(), rtpTimestamp: UInt32(index * 3000),
                    takenAt: random.isOne(in: 2) ? nil : MediaInstant(nanoseconds: random.next()), at: now)
            case 3: said = "\(stream.makeReport(at: now), default: "") \(stream.makeRTXReport(), default: "")"
            case 4:
                stream.nackSent(packets: random.below(9))
                stream.pliSent()
                stream.firSent()
                stream.keyFrameReceived()
                stream.roundTripTime = .milliseconds(random.below(300))
            case 5 where index % 50 == 0: stream.replaceRTX(by: SSRC(UInt32(index)))
            default:
                said =
                    "\(stream.packetReceived(sequence: sequence, timestamp: UInt32(truncatingIfNeeded: index * 3000 + 4_294_900_000), payloadLength: random.below(1200), at: now))"
            }
            return said
                + " \(stream.statistics(at: now)) \(stream.scoreCounters) \(stream.isActive(at: now)) \(stream.highestTimestamp)"
                + " \(stream.isRTXActive(at: now, within: .milliseconds(100))) \(stream.senderReport, default: "")"
        }.check()
    }

    @Test func `a send stream goes on with its reports, resends and score`() throws {
        let make = { SendStream(ssrc: SSRC(1), rtxSSRC: SSRC(2), clockRate: 48_000, firstRTXSequence: 32_760) }
        try SnapshotScript(make()) { stream, index, random, now in
            var said = ""
            switch random.below(8) {
            case 0:
                let requested = UInt16(truncatingIfNeeded: 65_450 + index - random.below(60))
                if let extended = stream.extended(ofRequested: requested) {
                    said = "\(extended) \(stream.mayResend(extended: extended, at: now)) \(stream.nextRTXIndex())"
                    stream.packetRetransmitted(payloadLength: 80, at: now)
                }
            case 1:
                var report = ReceptionReport()
                report.fractionLost = UInt8(random.below(256))
                report.cumulativeLost = Int32(random.below(90)) - 20
                report.jitter = UInt32(random.below(500))
                report.lastSenderReport = 0x1_0000
                said = "\(stream.receiverReportReceived(report, compactNTP: 0x1_0000 + UInt32(random.below(0x4000))))"
            case 2:
                stream.nackReceived(packets: random.below(20))
                stream.pliReceived()
                stream.firReceived()
            case 3 where random.isOne(in: 8): stream.paused()
            case 4 where random.isOne(in: 8): said = "\(stream.encodingSwitched())"
            default:
                stream.packetSent(
                    extended: UInt64(65_450 + index),
                    timestamp: UInt32(truncatingIfNeeded: 4_294_960_000 + index * 960),
                    payloadLength: random.below(1200), at: now)
            }
            return said
                + " \(stream.statistics(key: ConsumerKey(rawValue: 3), at: now)) \(stream.highestExtended ?? 0)"
                + " \(stream.makeSenderReport(at: now, ntp: 5), default: "")"
        }.check()
    }

    @Test func `a NACK list goes on with every number, time and try`() throws {
        try SnapshotScript(countOffset: 0, NACKGenerator()) { generator, index, random, now in
            var said = ""
            // Towards the end so much is missing that key frames before it are all that can help.
            let base = 70_000 + index + (index > 200 ? (index - 200) * 20 : 0)
            switch random.below(8) {
            case 0: generator.roundTripTime = .milliseconds(20 + random.below(100))
            case 1, 2:
                let extended = UInt64(base - random.below(40))
                let action = generator.packetReceived(
                    extended: extended, isKeyFrame: false, isRecovered: random.isOne(in: 2), at: now)
                said = "\(action)"
            case 3 where random.isOne(in: 30): generator.reset()
            default:
                let action = generator.packetReceived(
                    extended: UInt64(base + random.below(4)), isKeyFrame: random.isOne(in: 9),
                    isRecovered: random.isOne(in: 6), at: now)
                said = "\(action)"
            }
            let numbers = UnsafeMutableBufferPointer<UInt16>.allocate(capacity: 16)
            defer { numbers.deallocate() }
            var count = generator.pollRequest(at: now, into: numbers)
            while count > 0 {
                said += " \(Array(numbers[..<count]))"
                count = generator.pollRequest(at: now, into: numbers)
            }
            return said + " \(generator.count) \(generator.abandoned) \(generator.nextDeadline, default: "")"
        }.check()
    }

    @Test func `a NACK list's bytes are those of this version`() throws {
        var generator = NACKGenerator()
        let now = MediaInstant(nanoseconds: 0x100)
        for number in [0x1_0000, 0x1_0002] as [UInt64] {
            _ = generator.packetReceived(extended: number, isKeyFrame: number & 2 != 0, isRecovered: false, at: now)
        }
        var writer = SnapshotWriter()
        generator.write(to: &writer)
        let due: [UInt8] = [0x80, 0x97, 0x98, 0, 0, 0, 0, 0]
        let highest: [UInt8] = [2, 0, 1, 0, 0, 0, 0, 0]
        let roundTripTime: [UInt8] = [0, 0xE1, 0xF5, 0x05, 0, 0, 0, 0]
        #expect(
            writer.bytes == [1, 0] + [1, 0, 1, 0, 0, 0, 0, 0] + due + [0] + [1] + due + [0] + [1] + highest + [1, 0]
                + highest + [0, 0] + roundTripTime + [UInt8](repeating: 0, count: 8))
    }

    @Test func `numbers of a NACK list that do not rise are refused`() throws {
        var generator = NACKGenerator()
        let now = MediaInstant(nanoseconds: 1_000_000_000)
        for number in [0x1_0000, 0x1_0003] as [UInt64] {
            _ = generator.packetReceived(extended: number, isKeyFrame: false, isRecovered: false, at: now)
        }
        var writer = SnapshotWriter()
        generator.write(to: &writer)
        var bytes = writer.bytes
        // The second number, seventeen bytes behind the first.
        #expect(bytes[19] == 2)
        for (position, value) in [(19, 1), (26, 0xFF)] as [(Int, UInt8)] {
            bytes = writer.bytes
            bytes[position] = value
            #expect(throws: WireError.malformed) {
                var reader = SnapshotReader(bytes)
                _ = try NACKGenerator(restoring: &reader)
            }
        }
    }

    @Test func `resends stay limited`() throws {
        try SnapshotScript(countOffset: 0, ResendLimiter()) { limiter, index, random, now in
            var said = ""
            for _ in 0..<random.below(8) {
                // Numbers that meet in a place, too.
                let number = UInt64(70_000 + random.below(40) + 256 * random.below(3))
                said +=
                    " \(limiter.mayResend(extended: number, at: now, roundTripTime: .milliseconds(random.below(200))))"
            }
            if random.isOne(in: 3) { limiter.packetSent() }
            if random.isOne(in: 150) { limiter.reset() }
            return said + " \(limiter.capacity)"
        }.check()
        // The numbers behind the allowance: more than the table's places, a table of no power of two, one twice.
        for bytes in [[0, 1, 0, 1, 1, 1], [0, 1, 1, 1], [0, 1, 0, 1, 2, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0]]
            as [[UInt8]]
        {
            #expect(throws: WireError.self) {
                var reader = SnapshotReader(bytes + [UInt8](repeating: 1, count: 4096))
                _ = try ResendLimiter(restoring: &reader)
            }
        }
    }

    @Test func `a retransmission buffer keeps its window, and its memory when it has nothing`() throws {
        var buffer = RetransmissionBuffer(window: .milliseconds(1500))
        let now = MediaInstant(nanoseconds: 1_000_000_000)
        [1, 2, 3].withUnsafeBytes { _ = buffer.store(extended: 7, bytes: $0, timestamp: 1, at: now) }
        var writer = SnapshotWriter()
        buffer.write(to: &writer)
        var reader = SnapshotReader(writer.bytes)
        var restored = try RetransmissionBuffer(restoring: &reader)
        let isEmpty = restored.storedCount == 0 && restored.allocatedBytes == 0
        #expect(isEmpty && reader.isAtEnd)
        let found = [1, 2, 3].withUnsafeBytes { bytes in
            restored.store(extended: 9, bytes: bytes, timestamp: 1, at: now)
            return [1500, 1501].map { restored.find(extended: 9, at: now + .milliseconds($0)) != nil }
        }
        #expect(found == [true, false])
    }
}
