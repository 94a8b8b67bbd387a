/// Turns what is seen of a path into one number: what may be sent, in bits per second.
///
/// It rises while the path carries what is sent, slowly where the path was found full before; it falls at once to what
/// arrives if a queue grows or too much is lost; and it stays while too little is sent to learn anything.
struct BandwidthEstimator {
    /// Without another minimum, nothing is believed to carry less.
    private static let leastEstimate: UInt64 = 30_000
    private static let one: UInt64 = 65536
    /// How long the rate stays near the ceiling before it tries to pass it.
    private static let plateau = MediaDuration.seconds(4)
    private static let recentCount: UInt64 = 6
    private static let recentNanoseconds: UInt64 = 500_000_000

    private(set) var limits: BitrateLimits
    /// Without the caps from outside.
    private(set) var rate: UInt64
    private(set) var cause = BandwidthCause.start
    /// What arrived when the path was last full; `nil` before, and where more has been carried since.
    private(set) var ceiling: UInt64?
    /// The receiver's own estimate.
    private(set) var remoteCap: UInt64?
    private var updatedAt: MediaInstant
    private(set) var backedOffAt: MediaInstant?
    /// What was believed before the path became full, until the queue is gone.
    private var rateBeforeBackoff: UInt64?
    private var ceilingBeforeBackoff: UInt64?
    /// Whether the last feedback showed that the path had not been full.
    private(set) var isRestoredWhole = false
    /// The longest that was seen of what had been sent before the first reduction, in nanoseconds.
    private(set) var queueAtBackoff: Int64 = 0
    /// When the packet was sent that waited so long, and all bytes sent until then.
    private var queueSentAt = MediaInstant(nanoseconds: 0)
    private var bytesAtBackoff: UInt64 = 0
    private var firstBackoffAt: MediaInstant?
    /// What arrived while the path was full of what had been sent before the first reduction.
    private var fullRate: UInt64 = 0
    /// The most of it: where a burst filled the path, less arrives as soon as that is over.
    private var fullestRate: UInt64 = 0
    /// The least estimate of each half second.
    private var recent: InlineArray<6, UInt64>
    private var recentNumber: UInt64

    init(_ limits: BitrateLimits, at now: MediaInstant) {
        self.limits = limits
        rate = min(max(limits.start, 10_000), Bitrate.largest)
        updatedAt = now
        recent = InlineArray(repeating: rate)
        recentNumber = now.nanoseconds / Self.recentNanoseconds
    }

    private var floor: UInt64 { min(limits.minimum ?? Self.leastEstimate, limits.maximum ?? Bitrate.largest) }

    /// What may be sent.
    var estimate: UInt64 {
        let capped = min(rate, min(remoteCap ?? Bitrate.largest, limits.maximum ?? Bitrate.largest))
        return min(max(capped, floor), Bitrate.largest)
    }

    /// `cause`, or what caps the rate.
    var reason: BandwidthCause {
        let estimate = self.estimate
        if estimate < rate { return estimate == remoteCap ? .remb : .maxOutgoing }
        return estimate > rate ? .minOutgoing : cause
    }

    /// The least estimate of the last three seconds.
    var leastRecent: UInt64 {
        var least = estimate
        for index in recent.indices { least = min(least, recent[index]) }
        return least
    }

    private mutating func change(to rate: UInt64, because cause: BandwidthCause) {
        self.rate = min(max(rate, floor), Bitrate.largest)
        self.cause = cause
    }

    /// Remembers the present estimate for `leastRecent`.
    mutating func remember(at now: MediaInstant) {
        let number = now.nanoseconds / Self.recentNanoseconds
        if number > recentNumber {
            for step in 0..<min(number - recentNumber, Self.recentCount) {
                recent[Int((number - step) % Self.recentCount)] = estimate
            }
            recentNumber = number
        }
        let index = Int(recentNumber % Self.recentCount)
        recent[index] = min(recent[index], estimate)
    }

    private mutating func forgetRecent() { recent = InlineArray(repeating: estimate) }

    // MARK: Feedback

    /// - Returns: whether the rate was reduced.
    mutating func update(_ seen: BandwidthObservation, at now: MediaInstant) -> Bool {
        let elapsed = min(max(now - updatedAt, .zero), .milliseconds(500))
        updatedAt = now
        isRestoredWhole = false
        defer { remember(at: now) }
        // Only what was sent since the last reduction tells if it was enough.
        let mayReduce = backedOffAt.map { seen.newestSentAt - $0 >= .milliseconds(100) } ?? true
        switch seen.lossAction {
        case .none: break
        case .limit(let limit, let cause):
            if cause == .policer { ceiling = limit }
            guard limit < rate || cause == .policer else { break }
            change(to: min(limit, rate), because: cause)
            return true
        case .restore(let before):
            if before > rate { change(to: before, because: .lossRandomTolerated) }
        }
        let excess = seen.loss - seen.inherentLoss
        if seen.isQueueing, excess > 3277, mayReduce {
            reduce(to: seen, by: max(UInt64(excess) / 2, drain(seen.queue)), because: .lossCongestion, at: now)
            return true
        }
        if let firstBackoffAt, rateBeforeBackoff != nil, seen.newestSentAt <= firstBackoffAt {
            fullRate = seen.latest
            fullestRate = max(fullestRate, fullRate)
            if seen.queue > queueAtBackoff { queueIsLongest(seen) }
        }
        switch seen.verdict {
        case .overuse:
            if mayReduce {
                reduce(to: seen, by: drain(seen.queue), because: .delayOveruse, at: now)
                return true
            }
            // The first reduction was to what arrived before the path became full.
            if seen.latest < rate {
                ceiling = min(ceiling ?? seen.latest, seen.latest)
                let reduced = Bitrate.scaled(seen.latest, by: Self.one - drain(seen.queue))
                if reduced < rate { change(to: reduced, because: .delayOveruse) }
            }
        case .foreignQueue:
            if let before = rateBeforeBackoff {
                ceiling = ceilingBeforeBackoff
                isRestoredWhole = true
                if before > rate { change(to: before, because: .foreignQueue) }
            }
            rateBeforeBackoff = nil
        case .watch, .draining: break
        case .normal:
            if seen.isDrained, let before = rateBeforeBackoff {
                rateBeforeBackoff = nil
                if isFalseAlarm(seen, at: now) {
                    ceiling = ceilingBeforeBackoff
                    isRestoredWhole = true
                    // Noise is no proof either: what was never carried stays doubtful once there was a doubt.
                    let carried = seen.provenBefore + seen.provenBefore / 4
                    change(to: max(min(before, max(carried, limits.start)), rate), because: .restored)
                    return false
                }
                // A burst filled the path for a moment only, and more arrived then than on the average; much more is what
                // arrived before the path got narrower.
                if let old = ceiling, old < fullestRate, fullestRate <= old + old / 5 { ceiling = fullestRate }
                let full = Bitrate.scaled(ceiling ?? 0, by: 62259)
                if rate < full { change(to: full, because: .restored) }
            } else if seen.isApplicationLimited {
                if cause == .rampUp { cause = .appLimitedHold }
            } else if rateBeforeBackoff == nil, !seen.isTrying {
                increase(seen, elapsed, at: now)
            }
        }
        return false
    }

    /// By what part the rate falls below what arrives, so that a queue drains: in 1/65536.
    private func drain(_ queue: Int64) -> UInt64 {
        min(max(UInt64(max(queue, 0)) / 1000 * Self.one / 500_000, Self.one / 20), Self.one / 2)
    }

    private mutating func reduce(
        to seen: BandwidthObservation, by part: UInt64, because cause: BandwidthCause, at now: MediaInstant
    ) {
        let carried = seen.latest
        if rateBeforeBackoff == nil {
            rateBeforeBackoff = rate
            ceilingBeforeBackoff = ceiling
            firstBackoffAt = now
            fullRate = carried
            fullestRate = carried
            queueIsLongest(seen)
        }
        if let old = ceiling, carried * 4 > old * 3, carried * 3 < old * 4 {
            ceiling = (old * 3 + carried) / 4
        } else {
            ceiling = carried
        }
        backedOffAt = now
        var reduced = Bitrate.scaled(carried, by: Self.one - min(part, Self.one / 2))
        // What arrives is no measure of the path where little is sent: by halves, unless there is no doubt.
        if seen.isApplicationLimited, seen.queue < 100_000_000, cause == .delayOveruse {
            reduced = max(reduced, rate / 2)
        }
        change(to: min(rate, reduced), because: cause)
    }

    private mutating func queueIsLongest(_ seen: BandwidthObservation) {
        queueAtBackoff = seen.queue
        queueSentAt = seen.newestSentAt
        bytesAtBackoff = seen.sentBytes
    }

    /// Whether the queue is gone sooner than the path, as it was measured, could have drained it: then it was none.
    private func isFalseAlarm(_ seen: BandwidthObservation, at now: MediaInstant) -> Bool {
        guard seen.loss - seen.inherentLoss < 1311 else { return false }
        // Only soon, and of a queue that could be noise: later, errors of the measured rate add up.
        guard let firstBackoffAt, now - firstBackoffAt < .milliseconds(600), queueAtBackoff < 150_000_000 else {
            return false
        }
        let left =
            queueAtBackoff - drain(sentBytes: seen.sentBytes, newestSentAt: seen.newestSentAt, at: fullestRate)
        return left > 20_000_000 && left > queueAtBackoff * 2 / 3 && seen.queue < left / 3
    }

    /// By how much a queue of our own must have become shorter since it was longest, in nanoseconds: negative if it must
    /// have grown; zero without a reduction.
    ///
    /// It drains from the packet on that waited longest, not from the reduction, which comes a round trip later: a burst
    /// of our own is half gone by then, and would be taken for a queue that never was.
    /// - Parameter sentBytes: all that was sent until `newestSentAt`.
    func expectedDrain(sentBytes: UInt64, newestSentAt: MediaInstant) -> Int64 {
        guard rateBeforeBackoff != nil, fullRate > 0 else { return 0 }
        return drain(sentBytes: sentBytes, newestSentAt: newestSentAt, at: fullRate)
    }

    private func drain(sentBytes: UInt64, newestSentAt: MediaInstant, at rate: UInt64) -> Int64 {
        // With a margin: a rate measured too high must not make a queue of our own look like one of others.
        let full = max(rate - rate / 20, 1)
        let passed = max(min((newestSentAt - queueSentAt).nanoseconds, 10_000_000_000), 0)
        guard passed > 0 else { return 0 }
        let sent = Bitrate.of(bytes: sentBytes &- bytesAtBackoff, in: MediaDuration(nanoseconds: passed))
        // Per nanosecond so much of the queue goes, in 1/65536.
        let draining = Int64(Self.one) - Int64(min(sent * Self.one / full, 2 * Self.one))
        return passed / 65536 * draining
    }

    private mutating func increase(_ seen: BandwidthObservation, _ elapsed: MediaDuration, at now: MediaInstant) {
        let carried = max(seen.proven, min(seen.acknowledged, Bitrate.largest) * 3 / 2 + 10_000)
        let bound = min(carried, seen.policedRate ?? Bitrate.largest)
        guard rate < bound else { return }
        if let full = ceiling, rate > full + full / 8 { ceiling = nil }
        // The path was full at this rate a moment ago.
        if let full = ceiling, rate * 20 >= full * 19, let backedOffAt, now - backedOffAt < Self.plateau { return }
        // Per second, in 1/65536: 3 % near the ceiling, 15 % below it, 30 % where none is known.
        let growth: UInt64 =
            if let full = ceiling { rate * 10 < full * 9 ? 9830 : 1966 } else { 19661 }
        let perSecond = max(Bitrate.scaled(rate, by: growth), 10_000)
        let added = Bitrate.scaled(perSecond, by: UInt64(elapsed.microseconds) * Self.one / 1_000_000)
        change(to: min(rate + added, bound), because: .rampUp)
    }

    // MARK: Other evidence

    /// A probe has shown that the path carries so much.
    mutating func probePassed(_ shown: UInt64) {
        if let full = ceiling, shown > full { ceiling = nil }
        if shown > rate { change(to: shown, because: .probeRaised) }
        forgetRecent()
    }

    /// A probe has filled the path: this much arrived.
    mutating func probeFailed(measured: UInt64?) {
        guard let measured else { return }
        let safe = Bitrate.scaled(measured, by: 60293)
        if measured > rate { ceiling = measured }
        if safe > rate { change(to: safe, because: .probeFailed) }
    }

    mutating func set(_ rate: UInt64, because cause: BandwidthCause) { change(to: rate, because: cause) }

    mutating func setRemoteCap(_ cap: UInt64?) { remoteCap = cap }

    /// The path takes so much and no more: by halves at most, since a stall is no measure.
    mutating func drained(_ carried: UInt64, at now: MediaInstant) {
        ceiling = max(carried, rate / 2)
        backedOffAt = now
        change(to: max(Bitrate.scaled(carried, by: Self.one - Self.one / 20), rate / 2), because: .delayOveruse)
        remember(at: now)
    }

    mutating func setLimits(_ limits: BitrateLimits) { self.limits = limits }

    /// Another path: what the old one carried tells little.
    mutating func restart(at now: MediaInstant) {
        ceiling = nil
        rateBeforeBackoff = nil
        backedOffAt = nil
        remoteCap = nil
        change(to: min(rate, max(limits.start, rate / 2)), because: .routeChanged)
        updatedAt = now
    }
}

// MARK: Snapshot

extension BandwidthEstimator: Restorable {
    private static let rates = 0...Bitrate.largest

    init(restoring reader: inout SnapshotReader) throws(WireError) {
        limits = try reader.read()
        rate = try reader.read(in: Self.rates)
        cause = try reader.read()
        ceiling = try reader.readOptional(in: Self.rates)
        remoteCap = try reader.readOptional()
        updatedAt = try reader.read()
        backedOffAt = try reader.readOptional()
        isRestoredWhole = try reader.read()
        rateBeforeBackoff = try reader.readOptional(in: Self.rates)
        ceilingBeforeBackoff = try reader.readOptional(in: Self.rates)
        queueAtBackoff = try reader.read(in: 0...1 << 62)
        queueSentAt = try reader.read()
        bytesAtBackoff = try reader.readCounter()
        firstBackoffAt = try reader.readOptional()
        fullRate = try reader.read(in: Self.rates)
        fullestRate = try reader.read(in: Self.rates)
        recent = try reader.read()
        recentNumber = try reader.readCounter()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(limits)
        writer.write(rate)
        writer.write(cause)
        writer.writeOptional(ceiling)
        writer.writeOptional(remoteCap)
        writer.write(updatedAt)
        writer.writeOptional(backedOffAt)
        writer.write(isRestoredWhole)
        writer.writeOptional(rateBeforeBackoff)
        writer.writeOptional(ceilingBeforeBackoff)
        writer.write(queueAtBackoff)
        writer.write(queueSentAt)
        writer.write(bytesAtBackoff)
        writer.writeOptional(firstBackoffAt)
        writer.write(fullRate)
        writer.write(fullestRate)
        writer.write(recent)
        writer.write(recentNumber)
    }
}
