import Testing

@testable import RoundhouseMedia

private func ms(_ milliseconds: Int) -> MediaInstant {
    MediaInstant(nanoseconds: 1_000_000_000) + .milliseconds(milliseconds)
}

@Suite("TimestampRewriter")
struct TimestampRewriterTests {
    @Test func `the first source passes unchanged`() {
        var rewriter = TimestampRewriter(clockRate: 90_000)
        rewriter.switchSource(first: 5000, at: ms(0))
        let first = rewriter.rewrite(5000, at: ms(0))
        let second = rewriter.rewrite(8000, at: ms(33))
        #expect(first == 5000)
        #expect(second == 8000)
    }

    @Test func `a switch without sender reports continues by the time passed`() {
        var rewriter = TimestampRewriter(clockRate: 90_000)
        _ = rewriter.rewrite(5000, at: ms(0))
        let excess = rewriter.switchSource(first: 4_000_000_000, at: ms(100))
        let output = rewriter.rewrite(4_000_000_000, at: ms(100))
        #expect(excess == .zero)
        #expect(output == 5000 + 9000)
        let next = rewriter.rewrite(4_000_003_000, at: ms(133))
        #expect(next == 5000 + 12_000)
    }

    @Test func `a switch with sender reports goes where they say`() {
        var rewriter = TimestampRewriter(clockRate: 90_000)
        _ = rewriter.rewrite(5000, at: ms(0))
        rewriter.switchSource(first: 77, aligned: 7700, at: ms(500))
        let output = rewriter.rewrite(77, at: ms(500))
        #expect(output == 7700)
    }

    @Test func `a switch never goes back: it takes one frame more and says by how much it is late`() {
        var rewriter = TimestampRewriter(clockRate: 90_000)
        _ = rewriter.rewrite(5000, at: ms(0))
        let excess = rewriter.switchSource(first: 77, aligned: 4100, at: ms(10))
        let output = rewriter.rewrite(77, at: ms(10))
        #expect(output == 5000 + 2970)
        #expect(excess == MediaDuration(nanoseconds: 43_000_000))
    }

    @Test func `timestamps wrap`() {
        var rewriter = TimestampRewriter(clockRate: 90_000)
        _ = rewriter.rewrite(UInt32.max - 1000, at: ms(0))
        rewriter.switchSource(first: 10, at: ms(100))
        let output = rewriter.rewrite(10, at: ms(100))
        #expect(output == 7999)
        #expect(rewriter.highest == 7999)
    }

    @Test func `two sender reports put a second stream on the first one's clock`() {
        // Both streams' senders share a wall clock; the second's RTP clock is 1000 s ahead and read half a second later.
        let a = SenderReportInfo(ntp: 100 << 32, rtpTimestamp: 4_294_967_000, arrival: ms(0))
        let b = SenderReportInfo(ntp: (100 << 32) + (1 << 31), rtpTimestamp: 90_000_000, arrival: ms(500))
        let moment = b.ntp(atRTPTimestamp: 90_000_000 + 9000, clockRate: 90_000)
        #expect(moment == (100 << 32) + (1 << 31) + 429_496_729)
        let onA = a.rtpTimestamp(atNTP: moment, clockRate: 90_000)
        // 0.6 s after a's report, one unit lost to rounding at most.
        let expected = UInt32(4_294_967_000) &+ 54_000
        #expect(expected &- onA <= 1)
    }

    @Test func `a sender report extrapolates backwards too`() {
        let report = SenderReportInfo(ntp: 100 << 32, rtpTimestamp: 90_000, arrival: ms(0))
        #expect(report.rtpTimestamp(atNTP: 99 << 32, clockRate: 90_000) == 0)
        #expect(report.ntp(atRTPTimestamp: 0, clockRate: 90_000) == 99 << 32)
    }
}
