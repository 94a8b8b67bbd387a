import Testing

@testable import RoundhouseMedia

private func at(_ milliseconds: Int) -> MediaInstant {
    MediaInstant(nanoseconds: 1 << 45) + .milliseconds(milliseconds)
}

@Suite("SendHistory")
struct SendHistoryTests {
    private func filled(from first: UInt16, count: Int) -> SendHistory {
        var history = SendHistory()
        for index in 0..<count {
            history.packetSent(number: first &+ UInt16(index), size: 1_000 + index, ownQueue: 3, at: at(index))
        }
        return history
    }

    @Test func `a reported packet comes back with its size, its time and its own wait`() throws {
        var history = filled(from: 65_534, count: 4)
        let first = history.reported(1, arrivedAt: 77, at: at(50))
        let report = try #require(first)
        #expect(report.size == 1_003)
        #expect(report.arrivedAt == 77)
        #expect(report.ownQueue == 6_000_000)
        #expect((at(3) - report.sentAt).nanoseconds < 1 << 14)
        #expect(!report.isLost)
        #expect(history.bytesInFlight == 1_000 + 1_001 + 1_002)
    }

    @Test func `an arrival counts once`() {
        var history = filled(from: 10, count: 3)
        let first = history.reported(11, arrivedAt: 5, at: at(50))
        let second = history.reported(11, arrivedAt: 9, at: at(60))
        #expect(first != nil)
        #expect(second == nil)
        #expect(history.duplicates == 1)
    }

    @Test func `numbers that were never sent are counted and ignored`() {
        var history = filled(from: 10, count: 3)
        for number: UInt16 in [9, 13, 40_000] {
            let report = history.reported(number, arrivedAt: 5, at: at(50))
            #expect(report == nil)
        }
        var empty = SendHistory()
        let report = empty.reported(1, arrivedAt: 1, at: at(1))
        #expect(report == nil)
        #expect(history.unmatched == 3)
        #expect(history.bytesInFlight == 3_003)
    }

    @Test func `a loss is settled two feedbacks later, unless an arrival takes it back`() {
        var history = filled(from: 10, count: 4)
        _ = history.reported(10, arrivedAt: 1, at: at(50))
        _ = history.reported(11, arrivedAt: nil, at: at(50))
        _ = history.reported(12, arrivedAt: nil, at: at(50))
        _ = history.reported(13, arrivedAt: 4, at: at(50))
        let first = history.feedbackEnded(at: at(50))
        _ = history.reported(12, arrivedAt: 6, at: at(100))
        let second = history.feedbackEnded(at: at(100))
        let third = history.feedbackEnded(at: at(150))
        #expect(first.packets == 0)
        #expect(second.packets == 0)
        #expect(third.packets == 4)
        #expect(third.lostPackets == 1)
        #expect(third.lostBytes == 1_001)
        #expect(history.packetsReceived == 3)
        #expect(history.packetsLost == 1)
    }

    @Test func `what no report mentions is forgotten, not lost`() {
        var history = filled(from: 10, count: 3)
        _ = history.reported(12, arrivedAt: 4, at: at(50))
        for time in [50, 100, 150] { _ = history.feedbackEnded(at: at(time)) }
        #expect(history.packetsForgotten == 2)
        #expect(history.packetsLost == 0)
        #expect(history.bytesInFlight == 0)
        let late = history.reported(10, arrivedAt: 9, at: at(200))
        #expect(late != nil)
        #expect(history.packetsForgotten == 1)
        #expect(history.packetsReceived == 2)
    }

    @Test func `every packet stays accounted for, whatever is reported`() throws {
        var random = SplitMix(seed: 3)
        var history = SendHistory()
        var number: UInt16 = 65_000
        for step in 0..<20_000 {
            history.packetSent(number: number, size: 500, ownQueue: 0, at: at(step))
            number &+= Int.random(in: 0..<50, using: &random) == 0 ? 3 : 1
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                _ = history.reported(
                    number &- .random(in: 0...600, using: &random),
                    arrivedAt: Bool.random(using: &random) ? Int64(step) : nil, at: at(step))
            }
            if step % 20 == 0 { _ = history.feedbackEnded(at: at(step)) }
            try #require(history.packetsInFlight <= history.packetsSent)
            try #require(history.bytesInFlight <= 4_096 * 500)
        }
        var writer = SnapshotWriter()
        history.write(to: &writer)
        var reader = SnapshotReader(writer.bytes)
        let restored = try SendHistory(restoring: &reader)
        #expect(reader.isAtEnd)
        #expect(restored.packetsInFlight == history.packetsInFlight)
        #expect(restored.bytesInFlight == history.bytesInFlight)
    }

    @Test func `a burst beyond two seconds of memory is forgotten from its old end`() {
        var history = SendHistory()
        for index in 0..<10_000 {
            history.packetSent(number: UInt16(truncatingIfNeeded: index), size: 100, ownQueue: 0, at: at(index / 10))
        }
        let old = history.reported(UInt16(5_000), arrivedAt: 1, at: at(1_000))
        let new = history.reported(UInt16(6_000), arrivedAt: 1, at: at(1_000))
        #expect(old == nil)
        #expect(new != nil)
        #expect(history.bytesInFlight == 4_095 * 100)
    }
}
