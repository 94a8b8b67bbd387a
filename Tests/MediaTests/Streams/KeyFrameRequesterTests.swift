import Testing

@testable import Media

private func ms(_ milliseconds: Int) -> MediaInstant {
    MediaInstant(nanoseconds: 1_000_000_000) + .milliseconds(milliseconds)
}

@Suite("KeyFrameRequester")
struct KeyFrameRequesterTests {
    /// Requests sent by the deadlines alone up to `end`, in milliseconds.
    private func run(_ requester: inout KeyFrameRequester, until end: Int) -> [Int] {
        var times: [Int] = []
        while let deadline = requester.nextDeadline, deadline <= ms(end) {
            if requester.deadlineReached(at: deadline) { times.append(Int((deadline - ms(0)).milliseconds)) }
        }
        return times
    }

    @Test("A request is sent at once, and repeated once after a second without an answer")
    func retry() {
        var requester = KeyFrameRequester()
        let sent = requester.requested(at: ms(0))
        let repeats = run(&requester, until: 10_000)
        #expect(sent)
        #expect(repeats == [1000])
        #expect(requester.nextDeadline == nil)
    }

    @Test("A key frame ends the wait")
    func answered() {
        var requester = KeyFrameRequester()
        _ = requester.requested(at: ms(0))
        requester.keyFrameReceived(at: ms(100))
        let repeats = run(&requester, until: 10_000)
        let next = requester.requested(at: ms(200))
        #expect(repeats == [])
        #expect(next)
    }

    @Test("Requests while one is pending are merged; one during the last try allows another repeat")
    func merged() {
        var requester = KeyFrameRequester()
        _ = requester.requested(at: ms(0))
        let second = requester.requested(at: ms(500))
        let first = run(&requester, until: 1500)
        let third = requester.requested(at: ms(1600))
        let rest = run(&requester, until: 10_000)
        #expect(!second)
        #expect(first == [1000])
        #expect(!third)
        #expect(rest == [2000])
    }

    @Test("Who joins waits for 2.5 s after a key frame, and is served by the next one, whoever caused it")
    func joining() {
        var requester = KeyFrameRequester()
        let first = requester.requested(for: .joining, at: ms(0))
        requester.keyFrameReceived(at: ms(100))
        let early = [200, 1500].map { requester.requested(for: .joining, at: ms($0)) }
        let sent = run(&requester, until: 2700)
        #expect(first && early == [false, false])
        #expect(sent == [2600])
        requester.keyFrameReceived(at: ms(2700))
        let again = requester.requested(for: .joining, at: ms(2800))
        let change = requester.requested(for: .change, at: ms(2900))
        requester.keyFrameReceived(at: ms(3000))
        let later = run(&requester, until: 20_000)
        let free = requester.requested(for: .joining, at: ms(20_000))
        #expect(!again && change && later == [] && free)
    }

    @Test("Who joins while a request is pending shares it, and a producer's own delay comes on top")
    func joiningWhilePending() {
        var requester = KeyFrameRequester(delay: .milliseconds(5000))
        let first = requester.requested(at: ms(0))
        let second = requester.requested(for: .joining, at: ms(50))
        requester.keyFrameReceived(at: ms(100))
        let third = requester.requested(for: .joining, at: ms(200))
        let sent = run(&requester, until: 5500)
        #expect(first && !second && !third)
        #expect(sent == [5000])
    }

    @Test("A forced request is sent whatever is pending")
    func forced() {
        var requester = KeyFrameRequester()
        _ = requester.requested(at: ms(0))
        let forced = requester.forced(at: ms(400))
        let repeats = run(&requester, until: 10_000)
        #expect(forced)
        #expect(repeats == [1400])
    }

    @Test("The hold-off merges further requests into one at its end")
    func holdOff() {
        var requester = KeyFrameRequester(delay: .milliseconds(3000))
        let first = requester.requested(at: ms(0))
        requester.keyFrameReceived(at: ms(50))
        let held = [100, 2000, 2999].map { requester.requested(at: ms($0)) }
        let sent = run(&requester, until: 3000)
        requester.keyFrameReceived(at: ms(3050))
        #expect(first)
        #expect(held == [false, false, false])
        #expect(sent == [3000])
        let later = run(&requester, until: 20_000)
        #expect(later == [])
        let free = requester.requested(at: ms(20_000))
        #expect(free)
    }

    @Test("A hold-off without further requests ends silently")
    func quietHoldOff() {
        var requester = KeyFrameRequester(delay: .milliseconds(500))
        _ = requester.requested(at: ms(0))
        requester.keyFrameReceived(at: ms(50))
        let sent = run(&requester, until: 10_000)
        let next = requester.requested(at: ms(600))
        #expect(sent == [])
        #expect(next)
    }

    @Test("A reset forgets what was asked")
    func reset() {
        var requester = KeyFrameRequester(delay: .milliseconds(500))
        _ = requester.requested(at: ms(0))
        requester.reset()
        #expect(requester.nextDeadline == nil)
        let next = requester.requested(at: ms(1))
        #expect(next)
    }
}

@Suite("ReportScheduler")
struct ReportSchedulerTests {
    @Test(
        "The first report is due after 500 ms, the next 1.0 to 1.5 s later, at a multiple of 25 ms",
        arguments: [0, 0x8000_0000, UInt32.max])
    func timing(random: UInt32) {
        var scheduler = ReportScheduler(startingAt: ms(0))
        let early = scheduler.isDue(at: ms(499), random: random)
        let due = scheduler.isDue(at: ms(500), random: random)
        let again = scheduler.isDue(at: ms(500), random: random)
        #expect(!early)
        #expect(due)
        #expect(!again)
        let extra = (scheduler.nextDeadline - ms(1500)).milliseconds
        let drawn = Double(random) / 4_294_967_296 * 475
        #expect(Double(extra) > drawn && Double(extra) <= drawn + 25)
        #expect(scheduler.nextDeadline.nanoseconds % 25_000_000 == 0)
    }

    @Test("Video reports every second and audio every five, fifteen per cent early allowed")
    func pacing() {
        var video = ReportPacer(kind: .video)
        var audio = ReportPacer(kind: .audio)
        let videoTimes = [0, 500, 869, 870, 1700, 1740].filter { video.mayReport(at: ms($0)) }
        let audioTimes = [0, 1000, 4347, 4348].filter { audio.mayReport(at: ms($0)) }
        #expect(videoTimes == [0, 870, 1740])
        #expect(audioTimes == [0, 4348])
    }
}
