import Testing

@testable import RoundhouseMedia

@Suite("SequenceExtender")
struct SequenceExtenderTests {
    @Test func `numbers extend over the wrap and late ones go back`() {
        var extender = SequenceExtender()
        let outcomes = [65534, 65535, 0, 1, 65535, 1, 2].map { extender.extend(UInt16($0)) }
        #expect(
            outcomes == [
                .newest(0x1_FFFE), .newest(0x1_FFFF), .newest(0x2_0000), .newest(0x2_0001), .late(0x1_FFFF),
                .late(0x2_0001), .newest(0x2_0002),
            ])
        #expect(extender.reportedHighest == 0x1_0002)
        #expect(extender.expected == 5)
    }

    @Test func `a packet from before the first one is late, not negative`() {
        var extender = SequenceExtender()
        _ = extender.extend(0)
        let late = extender.extend(65_000)
        #expect(late == .late(65_000))
    }

    @Test(
        arguments: [(2999, true), (3000, false), (-1499, true), (-1500, false), (30000, false)])
    func `a jump is believed up to 2999 forward and 1499 back`(jump: Int, isPlausible: Bool) {
        var extender = SequenceExtender()
        _ = extender.extend(10_000)
        let outcome = extender.extend(UInt16(truncatingIfNeeded: 10_000 + jump))
        #expect((outcome != .implausible) == isPlausible)
    }

    @Test func `two consecutive implausible numbers resynchronize above all earlier ones`() {
        var extender = SequenceExtender()
        _ = extender.extend(10)
        let first = extender.extend(40_000)
        let second = extender.extend(40_001)
        let third = extender.extend(39_999)
        #expect(first == .implausible)
        #expect(second == .resynchronized(0x3_0000 + 40_001))
        #expect(third == .late(0x3_0000 + 39_999))
        #expect(extender.reportedHighest == 40_001)
        #expect(extender.expected == 1)
    }

    @Test func `implausible numbers that are not consecutive change nothing`() {
        var extender = SequenceExtender()
        _ = extender.extend(10)
        let strays = [40_000, 50_000, 40_001].map { extender.extend(UInt16($0)) }
        let next = extender.extend(11)
        let again = extender.extend(40_002)
        #expect(strays == [.implausible, .implausible, .implausible])
        #expect(next == .newest(0x1_000B))
        #expect(again == .implausible)
    }

    @Test func `the nearest extended form lies within half a circle`() {
        var extender = SequenceExtender()
        #expect(extender.nearest(5) == nil)
        _ = extender.extend(5)
        #expect(extender.nearest(65_530) == 65_530)
        #expect(extender.nearest(10) == 0x1_000A)
    }
}
