import Testing

@testable import RoundhouseMedia

@Suite("How often senders get feedback")
struct FeedbackPaceTests {
    private struct Sender {
        var pace = FeedbackPace()
        var now = MediaInstant(nanoseconds: 9_000_000_000)
        var bytes: UInt64 = 0

        /// Sends at a rate in bits per second, until as many feedbacks have been given as fit into the time.
        mutating func send(_ rate: UInt64, for duration: MediaDuration, isLosing: Bool = false) -> [Int64] {
            let end = now + duration
            var intervals: [Int64] = []
            while now < end {
                now = now + pace.interval
                bytes += rate * UInt64(pace.interval.milliseconds) / 8_000
                pace.feedbackGiven(received: bytes, isLosing: isLosing, at: now)
                intervals.append(pace.interval.milliseconds)
            }
            return intervals
        }
    }

    @Test func `sound alone is answered four times a second`() {
        var sender = Sender()
        #expect(sender.send(40_000, for: .seconds(5)).dropFirst().allSatisfy { $0 == 250 })
    }

    @Test func `a sender that begins is watched closely for ten seconds, then as usual`() {
        var sender = Sender()
        _ = sender.send(40_000, for: .seconds(2))
        let begun = sender.send(600_000, for: .seconds(9))
        #expect(begun.dropFirst().allSatisfy { $0 == 50 })
        _ = sender.send(600_000, for: .seconds(2))
        #expect(sender.send(600_000, for: .seconds(5)).allSatisfy { $0 == 100 })
        #expect(sender.send(600_000, for: .seconds(1), isLosing: true).allSatisfy { $0 == 50 })
        #expect(sender.send(600_000, for: .seconds(1)).allSatisfy { $0 == 100 })
    }

    @Test func `a sender of much is always watched closely`() {
        var sender = Sender()
        _ = sender.send(1_500_000, for: .seconds(12))
        #expect(sender.send(1_500_000, for: .seconds(5)).allSatisfy { $0 == 50 })
    }

    @Test func `it goes on as before when it is written down and restored`() throws {
        try SnapshotScript(pace: .milliseconds(200), FeedbackPace()) { pace, index, random, now in
            pace.feedbackGiven(
                received: UInt64(index) * UInt64(random.below(9_000)), isLosing: random.isOne(in: 9), at: now)
            return "\(pace.interval.milliseconds)"
        }.check()
    }
}
