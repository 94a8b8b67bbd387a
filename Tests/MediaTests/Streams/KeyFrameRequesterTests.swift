import Testing

@testable import RoundhouseMedia

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

    /// The same, while somebody waits and says so every 200 ms.
    private func wait(
        _ requester: inout KeyFrameRequester, for need: KeyFrameRequester.Urgency = .change, from start: Int,
        until end: Int
    ) -> [Int] {
        var times: [Int] = []
        for time in stride(from: start, through: end, by: 200) {
            times += run(&requester, until: time - 1)
            if requester.renewed(for: need, at: ms(time)) { times.append(time) }
        }
        return times + run(&requester, until: end)
    }

    @Test func `a request is repeated after 1, 2 and 4 s, then every 5 s, for as long as somebody waits`() {
        var requester = KeyFrameRequester()
        let sent = requester.requested(at: ms(0))
        let repeats = wait(&requester, from: 200, until: 24_000)
        #expect(sent)
        #expect(repeats == [1000, 3000, 7000, 12_000, 17_000, 22_000])
        let later = run(&requester, until: 60_000)
        #expect(later == [] && requester.nextDeadline == nil)
    }

    @Test func `nothing is repeated for somebody who has gone`() {
        var requester = KeyFrameRequester()
        let sent = requester.requested(at: ms(0))
        let repeats = run(&requester, until: 10_000)
        #expect(sent && repeats == [])
        #expect(requester.nextDeadline == nil)
        // Whoever comes next asks at once.
        let next = requester.requested(at: ms(10_000))
        #expect(next)
    }

    @Test func `a key frame ends the wait, and the next is asked for half a second later at the earliest`() {
        var requester = KeyFrameRequester()
        _ = requester.requested(at: ms(0))
        requester.keyFrameReceived(at: ms(100))
        let repeats = run(&requester, until: 10_000)
        #expect(repeats == [])
        requester.keyFrameReceived(at: ms(10_000))
        let next = [10_100, 10_300].map { requester.requested(at: ms($0)) }
        let kept = run(&requester, until: 20_000)
        #expect(next == [false, false])
        #expect(kept == [10_500])
        requester.keyFrameReceived(at: ms(20_000))
        let late = requester.requested(at: ms(20_500))
        #expect(late)
    }

    @Test func `a delayed request ends with a key frame, or if nobody waits for one any more`() {
        var requester = KeyFrameRequester()
        requester.keyFrameReceived(at: ms(0))
        _ = requester.requested(at: ms(100))
        requester.keyFrameReceived(at: ms(300))
        let served = run(&requester, until: 10_000)
        requester.keyFrameReceived(at: ms(10_000))
        _ = requester.requested(for: .joining, at: ms(10_100))
        let gone = run(&requester, until: 20_000)
        #expect(served == [] && gone == [])
    }

    @Test func `requests while one is pending are merged, and repeated a second after the last`() {
        var requester = KeyFrameRequester()
        _ = requester.requested(at: ms(0))
        let second = requester.requested(at: ms(500))
        let first = wait(&requester, from: 600, until: 4000)
        #expect(!second)
        #expect(first == [1000, 3000])
        // The next would be at 7000.
        let soon = requester.requested(at: ms(3500))
        let hastened = wait(&requester, from: 3600, until: 4500)
        let late = requester.requested(at: ms(5200))
        let rest = wait(&requester, from: 5300, until: 12_000)
        #expect(!soon && late)
        #expect(hastened == [4000])
        #expect(rest == [6200, 8200])
    }

    @Test func `a sender that had been silent is asked soon, and not more often than once a second`() {
        var requester = KeyFrameRequester()
        _ = requester.requested(at: ms(0))
        _ = wait(&requester, from: 200, until: 9000)
        requester.senderReturned(at: ms(9100))
        let sent = wait(&requester, from: 9150, until: 9200)
        requester.senderReturned(at: ms(9300))
        let next = wait(&requester, from: 9350, until: 10_200)
        #expect(sent == [9100] && next == [10_100])
    }

    @Test func `a request is repeated if it or its answer was lost and a consumer still waits`() {
        var requester = KeyFrameRequester()
        let asked = requester.renewed(at: ms(0))
        requester.keyFrameReceived(at: ms(100))
        let again = wait(&requester, from: 200, until: 1000)
        #expect(asked && again == [600])
    }

    @Test func `a request that crosses a key frame on its way from another shard asks for no second one`() {
        for isRenewal in [false, true] {
            var requester = KeyFrameRequester()
            _ = requester.requested(at: ms(0))
            requester.keyFrameReceived(at: ms(100))
            let sent = isRenewal ? requester.renewed(at: ms(110)) : requester.requested(at: ms(110))
            let later = run(&requester, until: 10_000)
            #expect(!sent && later == [])
        }
    }

    @Test func `joining waits for 2.5 s after a key frame, and the next one serves it, whoever caused it`() {
        var requester = KeyFrameRequester()
        let first = requester.requested(for: .joining, at: ms(0))
        requester.keyFrameReceived(at: ms(100))
        let early = [200, 1500].map { requester.requested(for: .joining, at: ms($0)) }
        let sent = wait(&requester, for: .joining, from: 1600, until: 2700)
        #expect(first && early == [false, false])
        #expect(sent == [2600])
        requester.keyFrameReceived(at: ms(2700))
        let again = requester.requested(for: .joining, at: ms(2800))
        let change = requester.requested(for: .change, at: ms(3300))
        requester.keyFrameReceived(at: ms(3400))
        let later = run(&requester, until: 20_000)
        let free = requester.requested(for: .joining, at: ms(20_000))
        #expect(!again && change && later == [] && free)
    }

    @Test func `joining while a request is pending shares it, and a producer's own delay comes on top`() {
        var requester = KeyFrameRequester(delay: .milliseconds(5000))
        let first = requester.requested(at: ms(0))
        let second = requester.requested(for: .joining, at: ms(50))
        requester.keyFrameReceived(at: ms(100))
        let third = requester.requested(for: .joining, at: ms(200))
        let sent = wait(&requester, for: .joining, from: 300, until: 5500)
        #expect(first && !second && !third)
        #expect(sent == [5000])
    }

    @Test func `a forced request is sent whatever is pending, and once more for nobody`() {
        var requester = KeyFrameRequester()
        _ = requester.requested(at: ms(0))
        let forced = requester.forced(at: ms(400))
        let repeats = run(&requester, until: 10_000)
        #expect(forced)
        #expect(repeats == [1400])
    }

    @Test func `the hold-off merges further requests into one at its end`() {
        var requester = KeyFrameRequester(delay: .milliseconds(3000))
        let first = requester.requested(at: ms(0))
        requester.keyFrameReceived(at: ms(50))
        let held = [600, 2000, 2999].map { requester.requested(at: ms($0)) }
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

    @Test func `a hold-off without further requests ends silently`() {
        var requester = KeyFrameRequester(delay: .milliseconds(500))
        _ = requester.requested(at: ms(0))
        requester.keyFrameReceived(at: ms(50))
        let sent = run(&requester, until: 10_000)
        let next = requester.requested(at: ms(600))
        #expect(sent == [])
        #expect(next)
    }

    @Test func `a reset forgets what was asked`() {
        var requester = KeyFrameRequester(delay: .milliseconds(500))
        _ = requester.requested(at: ms(0))
        requester.reset()
        #expect(requester.nextDeadline == nil)
        let next = requester.requested(at: ms(1))
        #expect(next)
    }
}

@Suite("KeyFrameWish")
struct KeyFrameWishTests {
    @Test func `a wish is open until a key frame has come since, and the next one waits for a second`() {
        var wish = KeyFrameWish()
        #expect(wish.isDue(.receiver, encoding: 0, at: ms(0)))
        let isNew = [100, 200].map { wish.open(.receiver, encoding: 0, at: ms($0)) }
        #expect(isNew == [true, false])
        #expect(!wish.isGranted(.receiver, by: nil) && !wish.isGranted(.receiver, by: ms(99)))
        #expect(wish.isGranted(.receiver, by: ms(100)))
        wish.close(.receiver, keyFrame: ms(150))
        #expect(wish.encoding(of: .receiver) == nil)
        _ = wish.open(.receiver, encoding: 0, at: ms(200))
        #expect(!wish.isDue(.receiver, encoding: 0, at: ms(1149)))
        #expect(wish.isDue(.receiver, encoding: 0, at: ms(1150)) && wish.isDue(.receiver, encoding: 1, at: ms(200)))
    }

    @Test func `key frames that do not help are granted less and less, unless something was lost`() {
        var wish = KeyFrameWish()
        var (now, waits) = (0, [Int]())
        func ask(_ count: Int, losing: Bool = false) {
            for _ in 0..<count {
                if losing { wish.lossReported() }
                _ = wish.open(.receiver, encoding: 0, at: ms(now))
                let asked = now
                while !wish.isDue(.receiver, encoding: 0, at: ms(now)) { now += 100 }
                waits.append(now - asked)
                wish.close(.receiver, keyFrame: ms(now))
                // A second request that the same key frame meets does not count.
                _ = wish.open(.receiver, encoding: 0, at: ms(now))
                wish.close(.receiver, keyFrame: ms(now))
            }
        }
        ask(10)
        #expect(waits == [0, 1000, 1000, 1000, 2000, 4000, 8000, 16000, 30000, 30000])
        // What is to start a stream waits no longer than ever.
        #expect(wish.isHopeless && wish.isDue(.start, encoding: 0, at: ms(now + 1000)))
        waits = []
        ask(3, losing: true)
        #expect(waits == [1000, 1000, 1000] && !wish.isHopeless)
        ask(5)
        #expect(wish.isHopeless)
        wish.forget(at: ms(now + 10_000))
        #expect(!wish.isHopeless)
    }

    @Test func `after a wish without effect, or for another source, the next one goes out at once`() {
        var wish = KeyFrameWish()
        _ = wish.open(.start, encoding: 2, at: ms(100))
        wish.close(.start, keyFrame: ms(50))
        #expect(wish.isDue(.receiver, encoding: 2, at: ms(101)))
        _ = wish.open(.start, encoding: 2, at: ms(200))
        wish.close(.start, keyFrame: ms(250))
        #expect(!wish.isDue(.receiver, encoding: 2, at: ms(300)))
        wish.sourceChanged()
        #expect(wish.isDue(.receiver, encoding: 2, at: ms(300)))
    }

    @Test func `what starts a consumer and what its receiver asks for are two wishes`() {
        var wish = KeyFrameWish()
        let isNew = [wish.open(.start, encoding: 1, at: ms(0)), wish.open(.receiver, encoding: 0, at: ms(0))]
        #expect(isNew == [true, true])
        wish.close(.start, keyFrame: ms(10))
        #expect(wish.encoding(of: .receiver) == 0 && wish.encoding(of: .start) == nil)
    }
}

@Suite("ReportScheduler")
struct ReportSchedulerTests {
    @Test(
        arguments: [0, 0x8000_0000, UInt32.max])
    func `the first report is due after 500 ms, the next 1.0 to 1.5 s later, at a multiple of 25 ms`(
        random: UInt32
    ) throws {
        var scheduler = ReportScheduler(startingAt: ms(0))
        let early = scheduler.isDue(at: ms(499), random: random)
        let due = scheduler.isDue(at: ms(500), random: random)
        let again = scheduler.isDue(at: ms(500), random: random)
        #expect(!early)
        #expect(due)
        #expect(!again)
        let next = try #require(scheduler.nextDeadline)
        let extra = (next - ms(1500)).milliseconds
        let drawn = Double(random) / 4_294_967_296 * 475
        #expect(Double(extra) > drawn && Double(extra) <= drawn + 25)
        #expect(next.nanoseconds % 25_000_000 == 0)
    }

    @Test func `reports end five seconds after the last RTP, and begin again half a second after the next`() throws {
        var scheduler = ReportScheduler(startingAt: ms(0))
        func report(_ bytes: UInt64) throws -> MediaInstant {
            let now = try #require(scheduler.nextDeadline)
            let isDue = scheduler.isDue(at: now, random: 0)
            #expect(isDue)
            scheduler.reported(bytes, at: now)
            return now
        }
        for round: UInt64 in 1...20 { _ = try report(round * 1000) }
        var last = try report(20_000)
        let silent = last
        while !scheduler.isAsleep { last = try report(20_000) }
        #expect((4...7).contains((last - silent).seconds))
        #expect(scheduler.nextDeadline == nil)
        let isDueAsleep = scheduler.isDue(at: last + .seconds(1000), random: 0)
        #expect(!isDueAsleep)
        scheduler.wake(at: ms(100_010))
        #expect(scheduler.nextDeadline == ms(100_525))
    }

    @Test func `video reports every second and audio every five, or fifteen percent earlier`() {
        var video = ReportThrottle(kind: .video)
        var audio = ReportThrottle(kind: .audio)
        let videoTimes = [0, 500, 869, 870, 1700, 1740].filter { video.mayReport(at: ms($0)) }
        let audioTimes = [0, 1000, 4347, 4348].filter { audio.mayReport(at: ms($0)) }
        #expect(videoTimes == [0, 870, 1740])
        #expect(audioTimes == [0, 4348])
    }
}
