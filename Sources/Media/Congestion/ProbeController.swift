/// Tries if a path carries more, by filling what is sent up to a rate: first for a short train, then for longer.
struct ProbeController {
    private static let millisecond: Int64 = 1_000_000
    private static let firstWait = MediaDuration.seconds(3)
    private static let longestWait = MediaDuration.seconds(60)
    private static let longestTrainWait = MediaDuration.seconds(7)

    private(set) var phase = ProbePhase.idle
    private(set) var goal: UInt64 = 0
    private var startedAt = MediaInstant(nanoseconds: 0)
    private var endsAt = MediaInstant(nanoseconds: 0)
    private var sentBytes: UInt64 = 0
    private var arrivedBytes: UInt64 = 0
    private var lostBytes: UInt64 = 0
    private var firstBytes: UInt64 = 0
    private var firstSentAt = MediaInstant(nanoseconds: 0)
    private var firstArrivedAt: Int64 = 0
    private var lastSentAt = MediaInstant(nanoseconds: 0)
    private var lastArrivedAt: Int64 = 0
    /// The least delay in each third of the probe: bursts raise some delays, a queue raises all.
    private var leastDelays = InlineArray<3, Int64>(repeating: Int64.max)
    /// What failed last, and when it may be tried again.
    private var failedGoal: UInt64 = 0
    /// What arrived of what was held last and failed; zero: nothing has.
    private var failedRate: UInt64 = 0
    private var wait = firstWait
    private(set) var notBefore = MediaInstant(nanoseconds: 0)
    private(set) var probesStarted: UInt64 = 0
    private(set) var probesPassed: UInt64 = 0

    init() {}

    var isRunning: Bool { phase == .train || phase == .hold }

    /// Whether one has failed since the last that passed.
    var hasFailed: Bool { failedGoal > 0 }

    /// Whether a probe for so much may begin.
    func mayStart(for goal: UInt64, at now: MediaInstant) -> Bool {
        phase == .idle && (now >= notBefore || (failedGoal > 0 && goal < Bitrate.scaled(failedGoal, by: 52429)))
    }

    mutating func start(for goal: UInt64, at now: MediaInstant) {
        self.goal = goal
        probesStarted &+= 1
        // Eight packets of 600 bytes, within bounds.
        // A little too much shows only in a longer train, which is worth it if a short one has passed in vain.
        let least: UInt64 = goal < failedRate + failedRate * 3 / 5 ? 160_000 : 80_000
        let microseconds = min(max(4_800 * 8_000_000 / max(goal, 1), least), 200_000)
        begin(.train, lasting: .microseconds(Int(microseconds)), at: now)
    }

    /// The train has passed: holds the rate.
    mutating func hold(for duration: MediaDuration, at now: MediaInstant) {
        begin(.hold, lasting: duration, at: now)
    }

    private mutating func begin(_ phase: ProbePhase, lasting duration: MediaDuration, at now: MediaInstant) {
        self.phase = phase
        startedAt = now
        endsAt = now + duration
        sentBytes = 0
        arrivedBytes = 0
        lostBytes = 0
        firstBytes = 0
        firstArrivedAt = 0
        lastArrivedAt = 0
        leastDelays = InlineArray(repeating: Int64.max)
    }

    mutating func packetSent(size: Int) { sentBytes = min(sentBytes &+ UInt64(size), 1 << 40) }

    /// Bytes that are to be sent now beside everything else.
    mutating func takeFiller(at now: MediaInstant) -> Int {
        guard isRunning, now >= startedAt, now < endsAt else { return 0 }
        let due = Bitrate.bytes(at: goal, in: now - startedAt + .milliseconds(5))
        guard due > sentBytes + 200 else { return 0 }
        // A late tick does not make a burst.
        return Int(min(due - sentBytes, Bitrate.bytes(at: goal, in: .milliseconds(20)) + 200))
    }

    var nextDeadline: MediaInstant? {
        switch phase {
        case .idle: nil
        case .train, .hold: endsAt
        case .trainSent, .holdSent: endsAt + .seconds(1)
        }
    }

    /// - Returns: a result if the probe has come to nothing.
    mutating func advance(to now: MediaInstant) -> ProbeResult? {
        switch phase {
        case .train where now >= endsAt: phase = .trainSent
        case .hold where now >= endsAt: phase = .holdSent
        case .trainSent, .holdSent:
            // Nothing has been heard of it: it tells nothing.
            if now >= endsAt + .seconds(1) { abandon(at: now) }
        default: break
        }
        return nil
    }

    mutating func packetReported(_ report: PacketReport) {
        guard phase != .idle, report.sentAt + .milliseconds(1) >= startedAt, report.sentAt < endsAt else { return }
        if report.isLost {
            lostBytes &+= UInt64(report.size)
            return
        }
        if arrivedBytes == 0 {
            firstSentAt = report.sentAt
            firstArrivedAt = report.arrivedAt
            lastSentAt = report.sentAt
            lastArrivedAt = report.arrivedAt
        }
        arrivedBytes &+= UInt64(report.size)
        let isFirst = report.sentAt - firstSentAt < .milliseconds(2)
        if isFirst {
            firstBytes &+= UInt64(report.size)
            firstArrivedAt = max(firstArrivedAt, report.arrivedAt)
        }
        let third = max((endsAt - startedAt).nanoseconds / 3, 1)
        let index = Int(min(max((report.sentAt - startedAt).nanoseconds / third, 0), 2))
        leastDelays[index] = min(leastDelays[index], min(max(report.delay, -1 << 60), 1 << 60))
        lastSentAt = max(lastSentAt, report.sentAt)
        lastArrivedAt = max(lastArrivedAt, report.arrivedAt)
    }

    /// Judges what has been reported.
    /// - Parameters:
    ///   - newestSentAt: when the newest packet was sent that has been reported.
    ///   - noise: how much delays vary, in nanoseconds.
    ///   - inherentLoss: what is lost in any case, in 1/65536.
    ///   - isCongested: whether the path has become full, whatever the probe itself shows.
    /// - Returns: a result of the train or of the holding, once there is one.
    mutating func judge(
        newestSentAt: MediaInstant, noise: Int64, inherentLoss: Int32, isCongested: Bool, at now: MediaInstant
    ) -> ProbeResult? {
        guard phase != .idle else { return nil }
        let growth = self.growth
        let allowed = min(8 * Self.millisecond + 5 * noise / 2, 80 * Self.millisecond)
        let isFailing = growth > allowed + 12 * Self.millisecond
        if isCongested || (phase == .hold && isFailing) {
            return fail(at: now)
        }
        let isComplete = newestSentAt + .milliseconds(6) >= endsAt
        guard phase == .trainSent || phase == .holdSent, isComplete else { return nil }
        // Starved: far less was sent than was planned.
        let planned = Bitrate.bytes(at: goal, in: endsAt - startedAt)
        guard sentBytes * 10 >= planned * 8 else {
            abandon(at: now)
            return nil
        }
        // A lost feedback takes its part of the evidence, not of the packets.
        let known = arrivedBytes + lostBytes
        guard known * 2 >= sentBytes else {
            abandon(at: now)
            return nil
        }
        if growth > allowed || isLosing(over: inherentLoss) { return fail(at: now) }
        return .passed(goal, isClear: growth < 8 * Self.millisecond + noise / 4)
    }

    /// Whether more is lost than the path's own loss and chance explain.
    private func isLosing(over inherent: Int32) -> Bool {
        let known = arrivedBytes + lostBytes
        // Chance: about four packets, and half as much again as is usual.
        let usual = Bitrate.scaled(known, by: UInt64(max(inherent, 0))) * 3 / 2
        return lostBytes > usual + known / 40 + 4_000
    }

    /// How much longer packets wait in the last third than in the first.
    private var growth: Int64 {
        guard leastDelays[0] != Int64.max else { return 0 }
        if leastDelays[2] != Int64.max { return leastDelays[2] - leastDelays[0] }
        return leastDelays[1] == Int64.max ? 0 : leastDelays[1] - leastDelays[0]
    }

    /// What arrived of the present probe, in bits per second.
    private var measured: UInt64? {
        let received = lastArrivedAt &- firstArrivedAt
        let span = max(received, (lastSentAt - firstSentAt).nanoseconds)
        guard arrivedBytes > firstBytes, span > 10 * Self.millisecond, arrivedBytes * 10 > sentBytes * 9 else {
            return nil
        }
        return Bitrate.of(bytes: arrivedBytes - firstBytes, in: MediaDuration(nanoseconds: span))
    }

    mutating func fail(at now: MediaInstant) -> ProbeResult {
        let result = ProbeResult.failed(measured: measured)
        let longer = MediaDuration(nanoseconds: wait.nanoseconds * 3 / 2)
        // A train that fails does little harm: it may be tried often, so that a path that recovers is soon found out.
        let isHeld = phase == .hold || phase == .holdSent
        let longest = isHeld ? Self.longestWait : Self.longestTrainWait
        if isHeld { failedRate = measured ?? 0 }
        wait = failedGoal == 0 ? Self.firstWait : min(longer, longest)
        failedGoal = goal
        notBefore = now + wait
        phase = .idle
        return result
    }

    /// The probe has passed as a whole.
    mutating func pass(at now: MediaInstant) {
        probesPassed &+= 1
        phase = .idle
        failedGoal = 0
        failedRate = 0
        notBefore = now
    }

    mutating func abandon(at now: MediaInstant) {
        phase = .idle
        notBefore = max(notBefore, now + .milliseconds(500))
    }

    /// The path was found full by other means: not before a while.
    mutating func postpone(until instant: MediaInstant) {
        if phase != .idle { phase = .idle }
        notBefore = max(notBefore, instant)
    }

    /// Another path: nothing has failed on it.
    mutating func restart(at now: MediaInstant) {
        phase = .idle
        failedGoal = 0
        failedRate = 0
        notBefore = now
    }
}

// MARK: Snapshot

extension ProbeController: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        phase = try reader.read()
        goal = try reader.read(in: 0...Bitrate.largest)
        startedAt = try reader.read()
        endsAt = try reader.read()
        sentBytes = try reader.read(in: 0...1 << 41)
        arrivedBytes = try reader.readCounter()
        lostBytes = try reader.readCounter()
        firstBytes = try reader.readCounter()
        firstSentAt = try reader.read()
        firstArrivedAt = try reader.read()
        lastSentAt = try reader.read()
        lastArrivedAt = try reader.read()
        for index in leastDelays.indices {
            leastDelays[index] = try reader.read()
            guard leastDelays[index] == Int64.max || leastDelays[index].magnitude <= 1 << 60 else { throw .malformed }
        }
        failedGoal = try reader.read(in: 0...Bitrate.largest)
        failedRate = try reader.read(in: 0...Bitrate.largest)
        wait = MediaDuration(
            nanoseconds: try reader.read(in: Self.firstWait.nanoseconds...Self.longestWait.nanoseconds))
        notBefore = try reader.read()
        probesStarted = try reader.readCounter()
        probesPassed = try reader.readCounter()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(phase)
        writer.write(goal)
        writer.write(startedAt)
        writer.write(endsAt)
        writer.write(sentBytes)
        writer.write(arrivedBytes)
        writer.write(lostBytes)
        writer.write(firstBytes)
        writer.write(firstSentAt)
        writer.write(firstArrivedAt)
        writer.write(lastSentAt)
        writer.write(lastArrivedAt)
        writer.write(leastDelays)
        writer.write(failedGoal)
        writer.write(failedRate)
        writer.write(wait)
        writer.write(notBefore)
        writer.write(probesStarted)
        writer.write(probesPassed)
    }
}
