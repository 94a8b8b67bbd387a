import Testing

@testable import RoundhouseMedia

private func ms(_ milliseconds: Int) -> MediaInstant {
    MediaInstant(nanoseconds: 1_000_000_000_000) + .milliseconds(milliseconds)
}

private func ntp(_ milliseconds: Int) -> UInt64 { 3_900_000_000 << 32 + UInt64(milliseconds) << 32 / 1000 }

@Suite("SenderClock")
struct SenderClockTests {
    /// Rounding of 32 bits of fraction.
    private func expect(
        _ instant: MediaInstant, near expected: MediaInstant, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect((instant - expected).nanoseconds.magnitude <= 2, sourceLocation: sourceLocation)
    }

    @Test func `what delays a report moves the clock by a millisecond at most, either way`() {
        var clock = SenderClock()
        expect(clock.reportReceived(ntp: ntp(0), at: ms(50)), near: ms(50))
        expect(clock.reportReceived(ntp: ntp(1000), at: ms(1350)), near: ms(1051))
        expect(clock.reportReceived(ntp: ntp(2000), at: ms(2051)), near: ms(2051))
        expect(clock.reportReceived(ntp: ntp(3000), at: ms(3000)), near: ms(3050))
    }

    @Test func `a clock that was set is followed at once`() {
        var clock = SenderClock()
        _ = clock.reportReceived(ntp: ntp(0), at: ms(50))
        expect(clock.reportReceived(ntp: ntp(3_600_000), at: ms(1050)), near: ms(1050))
        expect(clock.reportReceived(ntp: ntp(3_601_000), at: ms(2050)), near: ms(2050))
        expect(clock.reportReceived(ntp: ntp(0), at: ms(3050)), near: ms(3050))
    }

    @Test(arguments: [1, UInt64.max, 1 << 63, 0xFFFF_FFFF])
    func `whatever stands in a report is taken`(ntp: UInt64) {
        var clock = SenderClock()
        #expect(clock.reportReceived(ntp: ntp, at: ms(0)) == ms(0))
        #expect(clock.reportReceived(ntp: ~ntp, at: MediaInstant(nanoseconds: 3)) == MediaInstant(nanoseconds: 3))
    }

    @Test func `each CNAME has a clock of its own, for as long as the transport knows it`() {
        var clocks = SenderClocks()
        expect(clocks.reportReceived(ntp: ntp(0), of: "a", among: ["a"], at: ms(0)), near: ms(0))
        expect(clocks.reportReceived(ntp: ntp(500), of: "b", among: ["a", "b"], at: ms(0)), near: ms(0))
        expect(clocks.reportReceived(ntp: ntp(1000), of: "a", among: [], at: ms(1500)), near: ms(1001))
        expect(clocks.reportReceived(ntp: ntp(1000), of: "c", among: ["c"], at: ms(1500)), near: ms(1500))
        expect(clocks.reportReceived(ntp: ntp(2000), of: "a", among: ["a"], at: ms(2900)), near: ms(2900))
    }
}
