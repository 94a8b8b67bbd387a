/// Sees from the delays of packets if they queue on the path.
///
/// What counts is the least delay of the packets that were sent within 100 ms: jitter and bursts raise some delays, a queue
/// raises all. Its level is compared with the least delay of half a minute, which a drifting clock cannot move far, and with
/// its own level 100 ms before. All times are in nanoseconds.
struct DelayDetector {
    private static let none = Int64.max
    private static let slotNanoseconds: UInt64 = 20_000_000
    private static let slotCount: UInt64 = 16
    /// Slots of one level.
    private static let levelSlots: UInt64 = 5
    private static let baseBucketNanoseconds: UInt64 = 4_000_000_000
    private static let baseBucketCount: UInt64 = 8
    private static let millisecond: Int64 = 1_000_000

    /// The least delay of the packets sent within 20 ms.
    private var delays = InlineArray<16, Int64>(repeating: none)
    /// The same without what the transport's own bursts explain.
    private var residuals = InlineArray<16, Int64>(repeating: none)
    private var newestSlot: UInt64 = 0
    /// The least delay of each four seconds.
    private var baseDelays = InlineArray<8, Int64>(repeating: none)
    private var baseBucket: UInt64 = 0

    private(set) var verdict = DelayVerdict.normal
    /// How long packets wait.
    private(set) var queue: Int64 = 0
    /// How long they wait beyond what own bursts explain.
    private(set) var residual: Int64 = 0
    /// How much `residual` has grown within 100 ms.
    private(set) var trend: Int64 = 0
    /// The usual deviation of `residual` while nothing is congested.
    private(set) var noise: Int64 = 0
    private var mean: Int64 = 0
    private var risingCount: UInt8 = 0
    private var aboveSince: MediaInstant?
    private var backoffCount: UInt8 = 0
    private var queueAtFirstBackoff: Int64 = 0
    private var firstBackoffAt = MediaInstant(nanoseconds: 0)

    init() {}

    /// From this level on a queue is no noise.
    var threshold: Int64 { min(25 * Self.millisecond + 5 * noise / 2, 120 * Self.millisecond) }

    mutating func packetArrived(_ report: PacketReport, at now: MediaInstant) {
        let slot = report.sentAt.nanoseconds / Self.slotNanoseconds
        if slot > newestSlot {
            let passed = min(slot - newestSlot, Self.slotCount)
            for step in 0..<passed {
                delays[Int((slot - step) % Self.slotCount)] = Self.none
                residuals[Int((slot - step) % Self.slotCount)] = Self.none
            }
            newestSlot = slot
        } else if newestSlot - slot >= Self.slotCount {
            return
        }
        let index = Int(slot % Self.slotCount)
        // Far from the end of the range, so that differences never overflow.
        let delay = min(max(report.delay, -1 << 60), 1 << 60)
        delays[index] = min(delays[index], delay)
        residuals[index] = min(residuals[index], delay - report.ownQueue)
        let bucket = now.nanoseconds / Self.baseBucketNanoseconds
        if bucket > baseBucket {
            for step in 0..<min(bucket - baseBucket, Self.baseBucketCount) {
                baseDelays[Int((bucket - step) % Self.baseBucketCount)] = Self.none
            }
            baseBucket = bucket
        }
        let position = Int(baseBucket % Self.baseBucketCount)
        baseDelays[position] = min(baseDelays[position], delay)
    }

    private var base: Int64 {
        var least = Self.none
        for index in baseDelays.indices { least = min(least, baseDelays[index]) }
        return least
    }

    private func least(_ values: InlineArray<16, Int64>, from first: UInt64) -> Int64 {
        var least = Self.none
        for step in first..<first + Self.levelSlots where step <= newestSlot {
            least = min(least, values[Int((newestSlot - step) % Self.slotCount)])
        }
        return least
    }

    /// Judges after a feedback.
    /// - Parameter carriesAll: whether what is sent arrives, all of it and as fast.
    mutating func evaluate(carriesAll: Bool, roundTripTime: MediaDuration, at now: MediaInstant) {
        let base = self.base
        let level = least(residuals, from: 0)
        guard base != Self.none, level != Self.none else { return }
        let before = least(residuals, from: Self.levelSlots)
        queue = max(least(delays, from: 0) - base, 0)
        residual = max(level - base, 0)
        trend = before == Self.none ? 0 : residual - max(before - base, 0)

        let threshold = self.threshold
        let isRising = trend > max(3 * Self.millisecond, noise / 2)
        risingCount = isRising ? min(risingCount + 1, 100) : 0
        if residual > threshold {
            if aboveSince == nil { aboveSince = now }
        } else {
            aboveSince = nil
            if residual < threshold / 2 { backoffCount = 0 }
        }
        verdict = judge(carriesAll: carriesAll, roundTripTime: roundTripTime, at: now)
        if verdict == .normal || verdict == .watch {
            mean += (residual - mean) / 64
            noise += ((residual - mean).magnitude > 1 << 40 ? 0 : abs(residual - mean) - noise) / 64
        }
    }

    private mutating func judge(
        carriesAll: Bool, roundTripTime: MediaDuration, at now: MediaInstant
    ) -> DelayVerdict {
        guard let aboveSince else { return residual > threshold * 7 / 10 ? .watch : .normal }
        let since = now - aboveSince
        if backoffCount >= 2, carriesAll, residual > queueAtFirstBackoff - 10 * Self.millisecond,
            trend.magnitude < UInt64(10 * Self.millisecond),
            now - firstBackoffAt > roundTripTime + .milliseconds(250)
        {
            // The level stays whatever is sent: another path, or a queue of others.
            rebase()
            return .foreignQueue
        }
        if risingCount >= 2 { return .overuse }
        if trend < -3 * Self.millisecond { return .draining }
        return since > .milliseconds(250) ? .overuse : .watch
    }

    /// Takes the present level as that of an empty path.
    private mutating func rebase() {
        for index in baseDelays.indices where baseDelays[index] != Self.none { baseDelays[index] = Self.none }
        baseDelays[Int(baseBucket % Self.baseBucketCount)] = least(delays, from: 0)
        backoffCount = 0
        aboveSince = nil
        risingCount = 0
        residual = 0
        queue = 0
    }

    /// The estimate was reduced because of `verdict`.
    mutating func backedOff(at now: MediaInstant) {
        if backoffCount == 0 {
            queueAtFirstBackoff = residual
            firstBackoffAt = now
        }
        backoffCount = min(backoffCount + 1, 100)
        // A level that stands has to be confirmed again.
        aboveSince = now
        risingCount = 0
        verdict = .draining
    }

    /// Another path, or a clock that jumped: nothing that was seen compares with what comes.
    mutating func restart() {
        let noise = self.noise
        self = DelayDetector()
        self.noise = noise
    }
}

// MARK: Snapshot

extension DelayDetector: Restorable {
    private static let delayRange = (-1 << 61)...Int64(1 << 61)

    init(restoring reader: inout SnapshotReader) throws(WireError) {
        for index in delays.indices { delays[index] = try Self.readDelay(&reader) }
        for index in residuals.indices { residuals[index] = try Self.readDelay(&reader) }
        newestSlot = try reader.readCounter()
        for index in baseDelays.indices { baseDelays[index] = try Self.readDelay(&reader) }
        baseBucket = try reader.readCounter()
        verdict = try reader.read()
        queue = try reader.read(in: 0...1 << 62)
        residual = try reader.read(in: 0...1 << 62)
        trend = try reader.read(in: -1 << 62...1 << 62)
        noise = try reader.read(in: 0...1 << 40)
        mean = try reader.read(in: 0...1 << 62)
        risingCount = try reader.read(in: 0...100)
        aboveSince = try reader.readOptional()
        backoffCount = try reader.read(in: 0...100)
        queueAtFirstBackoff = try reader.read(in: 0...1 << 62)
        firstBackoffAt = try reader.read()
    }

    private static func readDelay(_ reader: inout SnapshotReader) throws(WireError) -> Int64 {
        let delay: Int64 = try reader.read()
        guard delay == none || delayRange.contains(delay) else { throw .malformed }
        return delay
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(delays)
        writer.write(residuals)
        writer.write(newestSlot)
        writer.write(baseDelays)
        writer.write(baseBucket)
        writer.write(verdict)
        writer.write(queue)
        writer.write(residual)
        writer.write(trend)
        writer.write(noise)
        writer.write(mean)
        writer.write(risingCount)
        writer.writeOptional(aboveSince)
        writer.write(backoffCount)
        writer.write(queueAtFirstBackoff)
        writer.write(firstBackoffAt)
    }
}
