/// Turns what is seen of a path into one number: what may be sent, in bits per second.
///
/// It rises while the path carries what is sent, slowly where the path was found full before; it falls at once to what
/// arrives if a queue grows or too much is lost; and it stays while too little is sent to learn anything.
struct BandwidthEstimator {
    /// Without another minimum, nothing is believed to carry less.
    private static let leastEstimate: UInt64 = 30_000
    private static let one: UInt64 = 65536
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
        defer { remember(at: now) }
        let gate = min(seen.roundTripTime, .milliseconds(500)) + .milliseconds(100)
        let mayReduce = backedOffAt.map { now - $0 >= gate } ?? true
        let excess = seen.loss - seen.inherentLoss
        if seen.isQueueing, excess > 3277, mayReduce {
            reduce(to: seen, by: max(UInt64(excess) / 2, drain(seen.queue)), because: .lossCongestion, at: now)
            return true
        }
        switch seen.verdict {
        case .overuse:
            guard mayReduce else { return false }
            reduce(to: seen, by: drain(seen.queue), because: .delayOveruse, at: now)
            return true
        case .foreignQueue:
            if let before = rateBeforeBackoff, before > rate { change(to: before, because: .foreignQueue) }
            rateBeforeBackoff = nil
        case .watch, .draining: break
        case .normal:
            if seen.isDrained, rateBeforeBackoff != nil {
                rateBeforeBackoff = nil
                let full = Bitrate.scaled(ceiling ?? 0, by: 62259)
                if rate < full { change(to: full, because: .restored) }
            } else if seen.isApplicationLimited {
                if cause == .rampUp { cause = .appLimitedHold }
            } else if rateBeforeBackoff == nil {
                increase(seen, elapsed)
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
        let carried = min(seen.latest, rate)
        if rateBeforeBackoff == nil { rateBeforeBackoff = rate }
        if let old = ceiling, carried * 4 > old * 3, carried * 3 < old * 4 {
            ceiling = (old * 3 + carried) / 4
        } else {
            ceiling = carried
        }
        backedOffAt = now
        change(to: Bitrate.scaled(carried, by: Self.one - min(part, Self.one / 2)), because: cause)
    }

    private mutating func increase(_ seen: BandwidthObservation, _ elapsed: MediaDuration) {
        let bound = max(seen.proven, min(seen.acknowledged, Bitrate.largest) * 3 / 2 + 10_000)
        guard rate < bound else { return }
        if let full = ceiling, rate > full + full / 8 { ceiling = nil }
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
        ceiling = measured
        if safe > rate { change(to: safe, because: .probeFailed) }
    }

    mutating func set(_ rate: UInt64, because cause: BandwidthCause) { change(to: rate, because: cause) }

    mutating func setRemoteCap(_ cap: UInt64?) { remoteCap = cap }

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
        rateBeforeBackoff = try reader.readOptional(in: Self.rates)
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
        writer.writeOptional(rateBeforeBackoff)
        writer.write(recent)
        writer.write(recentNumber)
    }
}
