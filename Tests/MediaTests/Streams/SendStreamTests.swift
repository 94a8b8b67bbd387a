import Testing

@testable import RoundhouseMedia

private func ms(_ milliseconds: Int) -> MediaInstant {
    MediaInstant(nanoseconds: 1_000_000_000) + .milliseconds(milliseconds)
}

@Suite("SendStream")
struct SendStreamTests {
    private static func stream(firstRTX: UInt16 = 1000) -> SendStream {
        SendStream(ssrc: SSRC(1), rtxSSRC: SSRC(2), clockRate: 90_000, firstRTXSequence: firstRTX)
    }

    @Test func `a sender report extrapolates the newest timestamp and counts packets and octets`() {
        var stream = Self.stream()
        let nothing = stream.makeSenderReport(at: ms(0), ntp: 7)
        #expect(nothing == nil)
        stream.packetSent(extended: 500, timestamp: 9000, payloadLength: 100, at: ms(0))
        stream.packetSent(extended: 502, timestamp: 12_000, payloadLength: 100, at: ms(33))
        // A late packet must not pull the clock back.
        stream.packetSent(extended: 501, timestamp: 9000, payloadLength: 100, at: ms(40))
        let report = stream.makeSenderReport(at: ms(133), ntp: 7)
        #expect(report == SenderReportValues(ntp: 7, rtpTimestamp: 12_000 + 9000, packetCount: 3, octetCount: 300))
    }

    @Test func `a sender report repeats the sender's own, moved as its timestamps are, if that can be`() {
        var stream = Self.stream()
        stream.packetSent(extended: 500, timestamp: 50_000, payloadLength: 100, at: ms(400))
        // Captured 400 ms before it was sent, a hundred units below what is sent.
        let source = SenderReportInfo(ntp: 1, rtpTimestamp: 49_900, arrival: ms(300), takenAt: ms(0))
        let own = stream.makeSenderReport(at: ms(500), ntp: 7, by: source, offset: 100)
        #expect(own?.rtpTimestamp == UInt32(50_000 + 500 * 90))
        let absurd = stream.makeSenderReport(at: ms(500), ntp: 7, by: source, offset: 1_000_000)
        #expect(absurd?.rtpTimestamp == UInt32(50_000 + 100 * 90))
        stream.packetSent(extended: 501, timestamp: 50_000 + 90 * 61_000, payloadLength: 100, at: ms(61_400))
        let late = stream.makeSenderReport(at: ms(61_400), ntp: 7, by: source, offset: 100)
        #expect(late?.rtpTimestamp == UInt32(50_000 + 61_000 * 90))
    }

    @Test func `nothing is reported of a stream that has been silent for two seconds`() {
        var stream = Self.stream()
        stream.packetSent(extended: 500, timestamp: 9000, payloadLength: 100, at: ms(0))
        let source = SenderReportInfo(ntp: 1, rtpTimestamp: 9000, arrival: ms(1900))
        #expect(stream.makeSenderReport(at: ms(1999), ntp: 7) != nil)
        #expect(stream.makeSenderReport(at: ms(2000), ntp: 7, by: source) == nil)
        // Its clock may have been restarted, behind where it was.
        stream.packetSent(extended: 501, timestamp: 100, payloadLength: 100, at: ms(5000))
        #expect(stream.makeSenderReport(at: ms(5000), ntp: 7)?.rtpTimestamp == 100)
    }

    @Test func `the report's timestamp wraps`() {
        var stream = Self.stream()
        stream.packetSent(extended: 500, timestamp: UInt32.max, payloadLength: 1, at: ms(0))
        let report = stream.makeSenderReport(at: ms(1000), ntp: 0)
        #expect(report?.rtpTimestamp == 89_999)
    }

    @Test func `a requested wire number means the packet at or before the newest`() {
        var stream = Self.stream()
        #expect(stream.extended(ofRequested: 5) == nil)
        stream.packetSent(extended: 0x1_0005, timestamp: 0, payloadLength: 1, at: ms(0))
        #expect(stream.extended(ofRequested: 5) == 0x1_0005)
        #expect(stream.extended(ofRequested: 65_535) == 0xFFFF)
        #expect(stream.extended(ofRequested: 6) == nil)
    }

    @Test func `a number from before the stream means nothing`() {
        var stream = Self.stream()
        stream.packetSent(extended: 5, timestamp: 0, payloadLength: 1, at: ms(0))
        #expect(stream.extended(ofRequested: 65_530) == nil)
        #expect(stream.extended(ofRequested: 0) == 0)
    }

    @Test func `a packet is resent once per round trip, 100 ms while that is unknown`() {
        var stream = Self.stream()
        let times = [0, 1, 99, 100, 150, 200]
        let answers = times.map { stream.mayResend(extended: 70_000, at: ms($0)) }
        #expect(answers == [true, false, false, true, false, true])
        let other = stream.mayResend(extended: 70_001, at: ms(201))
        #expect(other)
        stream.paused()
        let afterPause = stream.mayResend(extended: 70_001, at: ms(202))
        #expect(afterPause)
    }

    @Test func `every packet of a burst of 256 is limited on its own`() {
        var stream = Self.stream()
        var first = 0
        var second = 0
        for number: UInt64 in 1000..<1256 where stream.mayResend(extended: number, at: ms(0)) { first += 1 }
        for number: UInt64 in 1000..<1256 where stream.mayResend(extended: number, at: ms(50)) { second += 1 }
        #expect(first == 256)
        #expect(second == 0)
    }

    @Test func `every packet of a whole buffer is limited on its own, in memory that stays small`() {
        var limiter = ResendLimiter()
        var sent = 0
        var again = 0
        for _ in 0..<2500 { limiter.packetSent() }
        for number: UInt64 in 70_000..<71_024 {
            if limiter.mayResend(extended: number, at: ms(0), roundTripTime: .milliseconds(100)) == .first { sent += 1 }
        }
        for _ in 0..<2500 { limiter.packetSent() }
        for time in 1..<99 {
            for number: UInt64 in 70_000..<71_024 {
                let answer = limiter.mayResend(extended: number, at: ms(time), roundTripTime: .milliseconds(100))
                if answer != .refused { again += 1 }
            }
        }
        #expect(sent == 1024)
        #expect(again == 0)
        let capacity = limiter.capacity
        #expect(capacity <= ResendLimiter.largestCapacity)
        let later = limiter.mayResend(extended: 70_000, at: ms(100), roundTripTime: .milliseconds(100))
        #expect(later == .again)
        limiter.reset()
        let after = limiter.capacity
        #expect(after == 0)
    }

    @Test func `no more is resent than was sent, however often and with what round trip a receiver asks`() {
        var limiter = ResendLimiter()
        var resent = 0
        func flood(from start: Int) {
            for time in start..<start + 10_000 {
                for number: UInt64 in 1000..<1100 {
                    let answer = limiter.mayResend(extended: number, at: ms(time), roundTripTime: .milliseconds(0))
                    if answer != .refused { resent += 1 }
                }
            }
        }
        for _ in 0..<10_000 { limiter.packetSent() }
        flood(from: 0)
        #expect(resent == ResendLimiter.largestAllowance)
        for _ in 0..<100 { limiter.packetSent() }
        flood(from: 20_000)
        #expect(resent == ResendLimiter.largestAllowance + 100)
    }

    @Test func `a receiver report gives loss, jitter and the round trip, which then limits resends`() {
        var stream = Self.stream()
        var report = ReceptionReport()
        report.fractionLost = 10
        report.cumulativeLost = -3
        report.jitter = 77
        report.lastSenderReport = 0x0001_0000
        report.delaySinceLastSenderReport = 0x8000
        // One second after the sender report, half of it at the receiver.
        stream.receiverReportReceived(report, compactNTP: 0x0002_0000)
        #expect(stream.roundTripTime == .milliseconds(500))
        #expect(stream.fractionLost == 10)
        #expect(stream.packetsLost == -3)
        #expect(stream.jitter == 77)
        _ = stream.mayResend(extended: 1, at: ms(0))
        let early = stream.mayResend(extended: 1, at: ms(499))
        #expect(!early)
    }

    @Test func `round trips from contradictory or missing fields are refused, tiny ones are a millisecond`() {
        #expect(RoundTripTime.measured(now: 0x10000, lastReport: 0, delay: 0) == nil)
        #expect(RoundTripTime.measured(now: 0x10000, lastReport: 0x20000, delay: 0) == nil)
        #expect(RoundTripTime.measured(now: 0x10000, lastReport: 0x10000, delay: 3) == .milliseconds(1))
        #expect(RoundTripTime.measured(now: 0x8000, lastReport: 0xFFFF_8000, delay: 0) == .seconds(1))
    }

    @Test func `RTX numbers start below 2^15 and go on over the wrap`() {
        var stream = Self.stream(firstRTX: 0xFFFF)
        let first = stream.nextRTXIndex()
        let second = stream.nextRTXIndex()
        #expect(first == 0x7FFF)
        #expect(second == 0x8000)
    }

    @Test func `the statistics contain what was counted`() {
        var stream = Self.stream()
        stream.packetSent(extended: 1, timestamp: 0, payloadLength: 1000, at: ms(0))
        stream.packetRetransmitted(payloadLength: 250, at: ms(1))
        stream.nackReceived(packets: 4)
        stream.pliReceived()
        stream.firReceived()
        let statistics = stream.statistics(key: ConsumerKey(rawValue: 9), at: ms(2))
        #expect(statistics.key == ConsumerKey(rawValue: 9))
        #expect(statistics.packetsSent == 1)
        #expect(statistics.bytesSent == 1000)
        #expect(statistics.packetsRetransmitted == 1)
        #expect(statistics.nackCount == 1)
        #expect(statistics.nackPacketCount == 4)
        #expect(statistics.pliCount == 1)
        #expect(statistics.firCount == 1)
        #expect(statistics.bitrate == 10_000)
    }
}
