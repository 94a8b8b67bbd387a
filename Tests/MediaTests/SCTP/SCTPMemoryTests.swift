import Testing

@testable import RoundhouseMedia
@testable import TestSupport

/// In a process of its own, because other tests allocate too.
@Suite("The memory of SCTP associations")
struct SCTPMemoryTests {
    private static let isMeasurable = AllocatedMemory.bytesInUse() != nil

    @Test(.enabled(if: SCTPMemoryTests.isMeasurable, "only glibc's allocator says what is in use"))
    func `an association that is quiet after a burst holds less than 24 KiB`() async {
        await #expect(processExitsWith: .success) { try SCTPMemoryTests.measure() }
    }

    private static func measure() throws {
        _ = try #require(AllocatedMemory.bytesInUse())
        var pairs: [SCTPPair] = []
        let before = try #require(AllocatedMemory.bytesInUse())
        for seed in 1...50 as ClosedRange<UInt64> {
            let pair = SCTPPair(seed: seed)
            #expect(pair.connect())
            for number in 0..<20 {
                #expect(pair.send(.numbered(number, count: 20_000, on: UInt16(number % 5))) == .queued)
            }
            pair.run(for: .seconds(10))
            #expect(pair.second.takeMessages().count == 20)
            _ = (pair.first.takeAll(), pair.second.takeAll())
            pairs.append(pair)
        }
        let after = try #require(AllocatedMemory.bytesInUse())
        // What the tests' own buffers and queues take counts, too.
        #expect((after - before) / (2 * pairs.count) < 24 * 1024)
    }
}
