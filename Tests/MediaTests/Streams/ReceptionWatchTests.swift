import Testing

@testable import RoundhouseMedia

@Suite("Noticing that what was announced does not come")
struct ReceptionWatchTests {
    private typealias Harvest = ReceptionWatch.Harvest

    private var watch = ReceptionWatch()
    private let start = MediaInstant(nanoseconds: 1_000_000_000)

    private mutating func look(_ harvest: Harvest, refusing count: Int = 0) -> ReceptionWatch.Change? {
        for _ in 0..<count { watch.packetRefused(.unknownSSRC, ssrc: SSRC(7), payloadType: 96) }
        return watch.deadlineReached(harvest, at: watch.nextDeadline ?? start)
    }

    @Test mutating func `a look comes five seconds after something is expected, and every second while it is wrong`() {
        #expect(watch.nextDeadline == nil)
        watch.begin(at: start)
        #expect(watch.nextDeadline == start + .seconds(5))
        #expect(look(Harvest(expected: 1, unheard: 1)) == .raised(TransportWarning(.nothingReceived)))
        #expect(watch.nextDeadline == start + .seconds(6))
        #expect(look(Harvest(expected: 2, unheard: 1)) == nil)
        #expect(watch.nextDeadline == start + .seconds(7))
        #expect(look(Harvest(expected: 2, hasEverHeard: true)) == .cleared(.nothingReceived))
        #expect(watch.nextDeadline == start + .seconds(12))
    }

    @Test mutating func `packets that match nothing are reported with the newest one's numbers, once`() {
        watch.begin(at: start)
        let half = Harvest(expected: 2, unheard: 1, hasEverHeard: true)
        let warning = TransportWarning(.unmatchedPackets, packets: 50, ssrc: SSRC(7), payloadType: 96)
        #expect(look(half, refusing: 50) == .raised(warning))
        #expect(look(half, refusing: 50) == nil)
        #expect(look(half) == nil)
        #expect(look(Harvest(expected: 2, hasEverHeard: true)) == .cleared(.unmatchedPackets))
    }

    @Test mutating func `useless packets beside producers that are heard are no matter`() {
        watch.begin(at: start)
        #expect(look(Harvest(expected: 2, hasEverHeard: true), refusing: 500) == nil)
        // Nor are those of a stretch that is over.
        #expect(look(Harvest(expected: 2, unheard: 2, hasEverHeard: true)) == nil)
    }

    @Test mutating func `a client that falls silent is none that never spoke`() {
        watch.begin(at: start)
        #expect(look(Harvest(expected: 1, unheard: 1, hasEverHeard: true)) == nil)
        #expect(
            look(Harvest(expected: 1, unheard: 1, hasEverHeard: true), refusing: ReceptionWatch.fewPackets - 1) == nil)
    }

    @Test mutating func `what comes after a silence is reported in place of it`() {
        watch.begin(at: start)
        #expect(look(Harvest(expected: 1, unheard: 1)) == .raised(TransportWarning(.nothingReceived)))
        let warning = TransportWarning(.unmatchedPackets, packets: 5, ssrc: SSRC(7), payloadType: 96)
        #expect(look(Harvest(expected: 1, unheard: 1), refusing: 5) == .raised(warning))
        #expect(look(Harvest(expected: 1, hasEverHeard: true)) == .cleared(.unmatchedPackets))
    }

    @Test mutating func `for pictures without a key frame one is asked, before that is noticed`() {
        watch.begin(at: start)
        let black = Harvest(expected: 1, withoutKeyFrame: 1, hasEverHeard: true)
        #expect(look(black) == .requestKeyFrames)
        #expect(watch.nextDeadline == start + .seconds(6))
        #expect(look(Harvest(expected: 1, hasEverHeard: true)) == nil)
        #expect(look(black) == .requestKeyFrames)
        #expect(look(black) == .raised(TransportWarning(.noKeyFrame)))
        #expect(look(black) == nil)
        #expect(look(Harvest(expected: 1, hasEverHeard: true)) == .cleared(.noKeyFrame))
    }

    @Test mutating func `a warning that waits for a key frame asks for one`() {
        watch.begin(at: start)
        _ = look(Harvest(expected: 1, unheard: 1), refusing: 50)
        #expect(watch.raised == .unmatchedPackets)
        #expect(look(Harvest(expected: 1, withoutKeyFrame: 1, hasEverHeard: true)) == .requestKeyFrames)
        #expect(look(Harvest(expected: 1, withoutKeyFrame: 1, hasEverHeard: true)) == nil)
        #expect(look(Harvest(expected: 1, hasEverHeard: true)) == .cleared(.unmatchedPackets))
    }

    @Test mutating func `after a stretch of silence nobody looks until something comes`() {
        watch.begin(at: start)
        #expect(look(Harvest(expected: 2, hasEverHeard: true)) == nil)
        #expect(watch.nextDeadline == start + .seconds(10))
        #expect(look(Harvest(expected: 2, unheard: 2, hasEverHeard: true)) == nil)
        #expect(watch.nextDeadline == nil && watch.isAsleep)
        watch.begin(at: start + .seconds(100))
        #expect(watch.nextDeadline == start + .seconds(105) && !watch.isAsleep)
        #expect(look(Harvest(expected: 2, unheard: 1, hasEverHeard: true)) == nil)
        #expect(!watch.isAsleep)
    }

    @Test mutating func `a warning that nobody can hear the end of sleeps with the rest, and ends soon after`() {
        watch.begin(at: start)
        #expect(look(Harvest(expected: 1, unheard: 1)) == .raised(TransportWarning(.nothingReceived)))
        #expect(look(Harvest(expected: 1, unheard: 1)) == nil)
        #expect(watch.isAsleep && watch.raised == .nothingReceived)
        watch.begin(at: start + .seconds(100))
        #expect(watch.nextDeadline == start + .seconds(101))
        #expect(look(Harvest(expected: 1, hasEverHeard: true)) == .cleared(.nothingReceived))
    }

    @Test mutating func `nothing is expected of nobody`() {
        #expect(watch.stop() == nil)
        watch.begin(at: start)
        _ = look(Harvest(expected: 1, unheard: 1))
        #expect(watch.stop() == .nothingReceived)
        #expect(watch.nextDeadline == nil)
        #expect(watch.stop() == nil)
    }
}
