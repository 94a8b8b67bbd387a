import TestSupport
import Testing

@testable import RoundhouseMedia

@Suite("DTLS replay window")
struct DTLSReplayWindowTests {
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `it answers as a set of everything seen would, up to 63 back`(seed: UInt64) {
        var generator = SplitMix(seed: seed)
        var window = DTLSReplayWindow()
        var seen: Set<UInt64> = []
        var position: UInt64 = 0
        for _ in 0..<2000 {
            if Int.random(in: 0..<50, using: &generator) == 0 {
                position += UInt64.random(in: 0...200, using: &generator)
            }
            position += UInt64.random(in: 0...2, using: &generator)
            let back = min(position, UInt64.random(in: 0...80, using: &generator))
            let number = position - back
            let isTooOld = seen.max().map { $0 >= number + 64 } ?? false
            let isFresh = !seen.contains(number) && !isTooOld
            #expect(window.isFresh(number) == isFresh, "\(number)")
            if isFresh {
                window.record(number)
                seen.insert(number)
                #expect(!window.isFresh(number))
            }
        }
    }

    @Test func `the last number of all is one like the others`() {
        var window = DTLSReplayWindow()
        window.record(0)
        window.record(DTLSRecordHeader.largestSequence)
        #expect(!window.isFresh(DTLSRecordHeader.largestSequence) && !window.isFresh(0))
        #expect(window.isFresh(DTLSRecordHeader.largestSequence - 63))
        #expect(!window.isFresh(DTLSRecordHeader.largestSequence - 64))
    }

    @Test func `a window that was written down with an impossible number does not trap`() {
        let window = DTLSReplayWindow(next: .max, seen: .max)
        #expect(!window.isFresh(DTLSRecordHeader.largestSequence))
    }
}
