import Testing

@testable import RoundhouseMedia

@Suite("SRTP replay windows")
struct SRTPReplayWindowTests {
    @Test func `the window agrees with a set of all indices ever seen`() {
        let words = UnsafeMutablePointer<UInt64>.allocate(capacity: SRTPReplayWindow.wordCount)
        words.initialize(repeating: 0, count: SRTPReplayWindow.wordCount)
        defer { words.deallocate() }
        let window = SRTPReplayWindow(words: words)
        var generator = SplitMix(seed: 7)
        var highest: UInt64 = 5000
        var seen: Set<UInt64> = [highest]
        window.record(highest, highest: &highest)
        for _ in 0..<50_000 {
            let step = Int.random(in: 0..<100, using: &generator)
            let ahead = step == 0 ? 3000 : step < 5 ? 900 : 20
            let index = UInt64(Int(highest) + Int.random(in: -1100...ahead, using: &generator))
            let expected = index > highest || (highest - index < 1024 && !seen.contains(index))
            #expect(window.isFresh(index, highest: highest) == expected)
            if expected {
                window.record(index, highest: &highest)
                seen.insert(index)
            }
        }
    }

    @Test func `indices are estimated as RFC 3711 appendix A says`() {
        var slot = SRTPStreamTable.Slot()
        #expect(slot.estimatedIndex(40_000) == 40_000)
        slot.hasRTP = true
        slot.highestIndex = 100
        #expect(slot.estimatedIndex(65_000) == 65_000, "roll-over counter zero has no predecessor")
        slot.highestIndex = 65_536 + 100
        #expect(slot.estimatedIndex(65_000) == 65_000)
        #expect(slot.estimatedIndex(32_000) == 65_536 + 32_000)
        slot.highestIndex = 65_536 + 40_000
        #expect(slot.estimatedIndex(7_000) == 2 * 65_536 + 7_000)
        #expect(slot.estimatedIndex(8_000) == 65_536 + 8_000)
        slot.highestIndex = 0xFFFF_FFFF_FFFF
        #expect(slot.estimatedIndex(3) == 3, "48 bits, then around")
    }
}
