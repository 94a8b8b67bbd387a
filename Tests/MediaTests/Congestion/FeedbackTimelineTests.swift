import Testing

@testable import RoundhouseMedia

private func at(_ milliseconds: Int) -> MediaInstant {
    MediaInstant(nanoseconds: 1 << 45) + .milliseconds(milliseconds)
}

@Suite("FeedbackTimeline")
struct FeedbackTimelineTests {
    @Test func `reference times become one line, also across their wrap`() {
        var timeline = FeedbackTimeline()
        let first = timeline.feedbackReceived(referenceTime: 0x7F_FFFF, count: 255, at: at(0))
        let second = timeline.feedbackReceived(referenceTime: -0x80_0000, count: 0, at: at(64))
        let third = timeline.feedbackReceived(referenceTime: -0x7F_FFFF, count: 1, at: at(128))
        #expect(second.reference - first.reference == 64_000_000)
        #expect(third.reference - second.reference == 64_000_000)
        #expect(!second.isRestarted)
        #expect(timeline.restarts == 0)
        #expect(timeline.feedbackLost == 0)
    }

    @Test func `missing feedback is counted by its numbers`() {
        var timeline = FeedbackTimeline()
        _ = timeline.feedbackReceived(referenceTime: 0, count: 254, at: at(0))
        _ = timeline.feedbackReceived(referenceTime: 1, count: 1, at: at(64))
        #expect(timeline.feedbackLost == 2)
        // One that was overtaken.
        _ = timeline.feedbackReceived(referenceTime: 1, count: 0, at: at(65))
        #expect(timeline.feedbackLost == 2)
    }

    @Test(arguments: [5_000, -5_000, 500_000, -500_000])
    func `a clock that jumps starts the line again, once`(milliseconds: Int) {
        var timeline = FeedbackTimeline()
        _ = timeline.feedbackReceived(referenceTime: 100_000, count: 0, at: at(0))
        let jumped = timeline.feedbackReceived(
            referenceTime: Int32(100_000 + milliseconds / 64), count: 1, at: at(64))
        let next = timeline.feedbackReceived(
            referenceTime: Int32(100_001 + milliseconds / 64), count: 2, at: at(128))
        #expect(jumped.isRestarted)
        #expect(!next.isRestarted)
        #expect(next.reference - jumped.reference == 64_000_000)
        #expect(timeline.restarts == 1)
    }

    @Test func `feedback that was held up is no jump`() {
        var timeline = FeedbackTimeline()
        _ = timeline.feedbackReceived(referenceTime: 0, count: 0, at: at(0))
        let late = timeline.feedbackReceived(referenceTime: 1, count: 1, at: at(2_000))
        let next = timeline.feedbackReceived(referenceTime: 31, count: 2, at: at(2_001))
        #expect(!late.isRestarted)
        #expect(!next.isRestarted)
    }

    @Test func `it stays near the own clock whatever is claimed`() {
        var random = SplitMix(seed: 1)
        var timeline = FeedbackTimeline()
        for step in 0..<10_000 {
            let position = timeline.feedbackReceived(
                referenceTime: .random(in: -0x80_0000...0x7F_FFFF, using: &random),
                count: .random(in: 0...255, using: &random), at: at(step))
            let own = Int64(at(step).nanoseconds)
            #expect((position.reference - own).magnitude <= 63_000_000_000)
        }
    }
}
