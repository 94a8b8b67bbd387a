import Testing

@testable import RoundhouseMedia

private func ms(_ milliseconds: Int) -> MediaInstant {
    MediaInstant(nanoseconds: 1_000_000_000) + .milliseconds(milliseconds)
}

@Suite("ReceiveStream")
struct ReceiveStreamTests {
    private var stream = ReceiveStream(ssrc: SSRC(1), rtxSSRC: SSRC(2), clockRate: 90_000)

    private mutating func receive(_ sequence: Int, timestamp: UInt32 = 0, at milliseconds: Int = 0)
        -> ReceiveStream.Arrival
    {
        stream.packetReceived(
            sequence: UInt16(truncatingIfNeeded: sequence), timestamp: timestamp, payloadLength: 100,
            at: ms(milliseconds))
    }

    private mutating func receiveRTX(_ sequence: Int, original: Int) -> ReceiveStream.Arrival {
        stream.retransmissionReceived(
            sequence: UInt16(truncatingIfNeeded: sequence), originalSequence: UInt16(truncatingIfNeeded: original),
            payloadLength: 100, at: ms(0))
    }

    @Test mutating func `each packet is accepted once, late ones too`() {
        let arrivals = [10, 12, 10, 11, 11, 12].map { receive($0) }
        #expect(
            arrivals == [
                .accept(extended: 0x1_000A), .accept(extended: 0x1_000C), .duplicate, .accept(extended: 0x1_000B),
                .duplicate, .duplicate,
            ])
        #expect(stream.packetsReceived == 3)
        #expect(stream.packetsDiscarded == 3)
    }

    @Test mutating func `the duplicate window slides over several circles of itself without a false duplicate`() {
        for number in stride(from: 0, to: 70_000, by: 7) {
            let arrival = receive(number)
            let expected = ReceiveStream.Arrival.accept(extended: 0x1_0000 + UInt64(number))
            #expect(arrival == expected)
        }
        let late = receive(69_993 - 1400)
        let missing = receive(69_993 - 1401)
        #expect(late == .duplicate)
        let expected = ReceiveStream.Arrival.accept(extended: 0x1_0000 + 69_993 - 1401)
        #expect(missing == expected)
    }

    @Test mutating func `a jump larger than the window forgets it`() {
        _ = receive(100)
        _ = receive(100 + 2900)
        let late = receive(100 + 2900 - 1000)
        let expected = ReceiveStream.Arrival.accept(extended: 67_536)
        #expect(late == expected)
    }

    @Test mutating func `a restart is discarded once, then resynchronized`() {
        _ = receive(100)
        let arrivals = [30_000, 30_001, 30_001, 30_000].map { receive($0) }
        let expected: [ReceiveStream.Arrival] = [
            .discarded, .resynchronized(extended: 226_609), .duplicate, .accept(extended: 226_608),
        ]
        #expect(arrivals == expected)
    }

    @Test mutating func `a retransmission fills a hole once`() {
        _ = receive(10)
        _ = receive(12)
        let first = receiveRTX(500, original: 11)
        let again = receiveRTX(501, original: 11)
        let late = receive(11)
        #expect(first == .accept(extended: 0x1_000B))
        #expect(again == .duplicate)
        #expect(late == .duplicate)
        #expect(stream.packetsRetransmitted == 2)
        #expect(stream.packetsRepaired == 1)
    }

    @Test mutating func `a retransmission before media, beyond the newest or behind the window does not pass`() {
        let beforeMedia = receiveRTX(500, original: 11)
        for number in 0...2500 { _ = receive(number) }
        let beyond = receiveRTX(501, original: 2501)
        let behind = receiveRTX(502, original: 400)
        #expect(beforeMedia == .discarded)
        #expect(beyond == .discarded)
        #expect(behind == .tooOld)
    }

    @Test mutating func `a report counts expected against received media packets; retransmissions do not mend it`() {
        let nothing = stream.makeReport(at: ms(0))
        #expect(nothing == nil)
        for number in 0..<100 where number % 4 != 3 { _ = receive(number) }
        _ = receive(100)
        _ = receiveRTX(1, original: 3)
        let first = stream.makeReport(at: ms(0))
        #expect(first?.cumulativeLost == 25)
        #expect(first?.fractionLost == UInt8(25 * 256 / 101))
        #expect(first?.extendedHighestSequence == 100)
        for number in 101...200 { _ = receive(number) }
        let second = stream.makeReport(at: ms(0))
        #expect(second?.fractionLost == 0)
        #expect(second?.cumulativeLost == 25)
        let rtx = stream.makeRTXReport()
        #expect(rtx?.extendedHighestSequence == 1)
        #expect(rtx?.cumulativeLost == 0)
    }

    @Test mutating func `total loss does not overflow the fraction, and duplicates make the loss negative`() {
        _ = receive(0)
        _ = stream.makeReport(at: ms(0))
        _ = receive(2999)
        let lossy = stream.makeReport(at: ms(0))
        #expect(lossy?.fractionLost == 255)
        var other = ReceiveStream(ssrc: SSRC(3), clockRate: 0)
        for _ in 0..<3 { _ = other.packetReceived(sequence: 7, timestamp: 0, payloadLength: 1, at: ms(0)) }
        let duplicated = other.makeReport(at: ms(0))
        #expect(duplicated?.cumulativeLost == -2)
        #expect(duplicated?.fractionLost == 0)
    }

    @Test mutating func `a report echoes the last sender report and how long ago it came`() {
        _ = receive(0)
        stream.senderReportReceived(ntp: 0x1122_3344_5566_7788, rtpTimestamp: 5, at: ms(0))
        let report = stream.makeReport(at: ms(500))
        #expect(report?.lastSenderReport == 0x3344_5566)
        #expect(report?.delaySinceLastSenderReport == 32_768)
    }

    @Test mutating func `jitter is zero for a steady stream and follows RFC 3550 A.8 for an unsteady one`() {
        for index in 0..<50 { _ = receive(index, timestamp: UInt32(index) * 1800, at: index * 20) }
        #expect(stream.jitter == 0)
        // One packet 10 ms late: |D| = 900 units, so J = 900/16; the next one is early against it by the same.
        _ = receive(50, timestamp: 50 * 1800, at: 50 * 20 + 10)
        #expect(stream.jitter == 56)
        _ = receive(51, timestamp: 51 * 1800, at: 51 * 20)
        #expect(stream.jitter == 109)
    }

    @Test mutating func `activity lasts 1500 ms after the last packet`() {
        #expect(!stream.isActive(at: ms(0)))
        _ = receive(0)
        #expect(stream.isActive(at: ms(1499)))
        #expect(!stream.isActive(at: ms(1500)))
        #expect(stream.isActive(at: ms(1500), within: .seconds(5)))
    }

    @Test mutating func `the statistics contain what was counted`() {
        _ = receive(0)
        _ = receive(2)
        _ = receiveRTX(0, original: 1)
        stream.nackSent(packets: 3)
        stream.pliSent()
        stream.keyFrameReceived()
        stream.roundTripTime = .milliseconds(40)
        let statistics = stream.statistics(at: ms(10))
        #expect(statistics.packetsReceived == 3)
        #expect(statistics.bytesReceived == 300)
        #expect(statistics.packetsLost == 1)
        #expect(statistics.packetsRepaired == 1)
        #expect(statistics.nackCount == 1)
        #expect(statistics.nackPacketCount == 3)
        #expect(statistics.pliCount == 1)
        #expect(statistics.keyFrames == 1)
        #expect(statistics.bitrate == 2400)
        #expect(statistics.roundTripTime == .milliseconds(40))
        #expect(statistics.rtxSSRC == SSRC(2))
    }
}

@Suite("RateWindow")
struct RateWindowTests {
    @Test func `the rate counts the last second and forgets what is older`() {
        var window = RateWindow()
        for index in 0..<100 { window.add(bytes: 125, at: ms(index * 10)) }
        let full = window.bitrate(at: ms(999))
        let half = window.bitrate(at: ms(1499))
        let empty = window.bitrate(at: ms(3000))
        #expect(full == 100_000)
        #expect(half == 50_000)
        #expect(empty == 0)
    }

    @Test func `a longer window averages over its own length`() {
        var window = RateWindow(window: .milliseconds(2500))
        window.add(bytes: 2500, at: ms(0))
        let rate = window.bitrate(at: ms(2000))
        #expect(rate == 8000)
    }

    @Test func `a clock that steps back and absurd lengths do no harm`() {
        var window = RateWindow()
        window.add(bytes: 125, at: ms(1000))
        window.add(bytes: 125, at: ms(0))
        window.add(bytes: -5, at: ms(1000))
        window.add(bytes: Int.max, at: ms(1000))
        window.add(bytes: Int.max, at: ms(1000))
        let rate = window.bitrate(at: ms(1000))
        #expect(rate >= 2000)
    }
}
