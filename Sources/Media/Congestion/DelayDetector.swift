/// Sees from the delays of packets if they queue on the path.
///
/// What counts is the least delay of the packets that arrived within 100 ms: jitter and bursts raise some delays, a queue
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

    /// The least delay of the packets that arrived within 20 ms.
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
    /// At first as on a path that is not quiet: what is quiet shows it soon.
    private(set) var noise: Int64 = 16_000_000
    /// The usual level of `residual` while less is sent than the path carries.
    private var mean: Int64 = 0
    private var sampleCount: Int64 = 0
    private var risingCount: UInt8 = 0
    private var aboveSince: MediaInstant?
    /// Since when packets have waited long, whatever explains it.
    private var longSince: MediaInstant?
    private var backoffCount: UInt8 = 0

    init() {}

    /// From this level on a queue is no noise.
    var threshold: Int64 { min(18 * Self.millisecond + mean + 5 * noise / 2, 150 * Self.millisecond) }

    mutating func packetArrived(_ report: PacketReport, at now: MediaInstant) {
        // By arrival: a queue that grows stretches what was sent within 100 ms over a longer time.
        let slot = UInt64(max(report.arrivedAt, 0)) / Self.slotNanoseconds
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
    /// - Parameters:
    ///   - drained: by how much a queue of our own must have become shorter since the estimate was reduced.
    ///   - reduced: how long it was then.
    ///   - isLosing: whether packets are lost that would not be in any case.
    ///   - isApplicationLimited: whether less is sent than the path is believed to carry, so that delays vary by themselves.
    mutating func evaluate(
        drained: Int64, of reduced: Int64, isLosing: Bool, isApplicationLimited: Bool, at now: MediaInstant
    ) {
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
        verdict = judge(drained: drained, of: reduced, isLosing: isLosing, at: now)
        if verdict == .normal || verdict == .watch {
            // What is sent beyond that makes queues of its own, which are no noise.
            let weight = min(8 + sampleCount, 32)
            sampleCount = min(sampleCount + 1, 1_000)
            let deviation = min(abs(residual - mean), 1 << 40)
            let level = min(residual, 60 * Self.millisecond)
            mean += (level - mean) / (isApplicationLimited || level < mean ? weight : 512)
            noise += (deviation - noise) / (isApplicationLimited || deviation < noise ? weight : 256)
        }
    }

    private mutating func judge(
        drained: Int64, of reduced: Int64, isLosing: Bool, at now: MediaInstant
    ) -> DelayVerdict {
        if queue > threshold + 60 * Self.millisecond {
            if longSince == nil { longSince = now }
        } else {
            longSince = nil
        }
        if let longSince, now - longSince > .milliseconds(300), trend > -queue / 16 { return .overuse }
        guard let aboveSince else { return residual > threshold * 7 / 10 ? .watch : .normal }
        let since = now - aboveSince
        if backoffCount > 0, !isLosing, drained > 40 * Self.millisecond + reduced / 4, trend.magnitude < 10_000_000,
            queue > reduced - drained / 4
        {
            // The level stays whatever is sent: another path, or a queue of others.
            rebase()
            return .foreignQueue
        }
        if risingCount >= 2 { return .overuse }
        if trend < -3 * Self.millisecond { return .draining }
        return since > .milliseconds(backoffCount == 0 ? 250 : 500) ? .overuse : .watch
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
        backoffCount = min(backoffCount + 1, 100)
        // A level that stands has to be confirmed again.
        aboveSince = now
        longSince = now
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
        mean = try reader.read(in: 0...1 << 40)
        sampleCount = try reader.read(in: 0...1_000)
        risingCount = try reader.read(in: 0...100)
        aboveSince = try reader.readOptional()
        longSince = try reader.readOptional()
        backoffCount = try reader.read(in: 0...100)
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
        writer.write(sampleCount)
        writer.write(risingCount)
        writer.writeOptional(aboveSince)
        writer.writeOptional(longSince)
        writer.write(backoffCount)
    }
}
