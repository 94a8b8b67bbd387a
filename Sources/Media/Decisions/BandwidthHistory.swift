/// What was known and decided for one receiver within the last ten minutes.
///
/// A sample is taken each second and when the estimate moves; older ones are thinned out when there is no room for more. Of
/// layers, only changes are kept. Memory: 22 KiB of samples and 16 KiB of changes at most, and next to nothing at first.
public struct BandwidthHistory: Sendable {
    static let sampleCount = 512
    static let changeCount = 512
    /// The newest samples, which stay as they are.
    private static let fineCount = 128
    /// How far back it reaches.
    public static let reach = MediaDuration.seconds(600)
    private static let interval = MediaDuration.seconds(1)
    /// Between two samples of an estimate that moves.
    private static let shortestInterval = MediaDuration.milliseconds(250)

    /// The oldest first.
    public private(set) var samples: [BandwidthSample] = []
    /// The oldest first.
    public private(set) var changes: [LayerChange] = []
    /// The last change of each consumer there is, in no order.
    public private(set) var current: [LayerChange] = []

    init() {}

    /// Looks at the state after a decision.
    mutating func observe(_ state: BandwidthState, allocated: UInt64, wanted: UInt64, at now: MediaInstant) {
        if let last = samples.last {
            let passed = now - last.at
            guard passed >= Self.interval || (passed >= Self.shortestInterval && hasMoved(state, since: last)) else {
                return
            }
        }
        if samples.count >= Self.sampleCount { thinOut(at: now) }
        samples.append(BandwidthSample(state, allocated: allocated, wanted: wanted, at: now))
    }

    private func hasMoved(_ state: BandwidthState, since last: BandwidthSample) -> Bool {
        let old = UInt64(last.estimate) * 1000
        let difference = state.estimate > old ? state.estimate - old : old - state.estimate
        return state.cause != last.cause || difference > old / 10 + 1000
    }

    /// Drops what is too old, and of what is not among the newest all that is less than two seconds after another: 428 stay at
    /// most.
    private mutating func thinOut(at now: MediaInstant) {
        var kept: [BandwidthSample] = []
        kept.reserveCapacity(Self.sampleCount)
        for sample in samples.dropLast(Self.fineCount) where now - sample.at <= Self.reach {
            if let last = kept.last, sample.at - last.at < .seconds(2) { continue }
            kept.append(sample)
        }
        samples = kept + samples.suffix(Self.fineCount)
    }

    /// Looks at what one consumer was given.
    mutating func observe(
        _ consumer: ConsumerKey, _ target: LayerPosition?, _ reason: LayerReason, cost: UInt64, nextStep: UInt64,
        at now: MediaInstant
    ) {
        let layers = target.map {
            ConsumerLayers(spatial: UInt8(clamping: $0.spatial), temporal: UInt8(clamping: min($0.temporal, 7)))
        }
        let place = current.firstIndex { $0.consumer == consumer }
        if let place, current[place].layers == layers, current[place].reason == reason { return }
        let change = LayerChange(
            at: now, consumer: consumer, layers: layers, reason: reason, cost: UInt32(clamping: cost / 1000),
            nextStep: UInt32(clamping: nextStep / 1000))
        if let place { current[place] = change } else { current.append(change) }
        if changes.count >= Self.changeCount { changes.removeFirst(Self.changeCount / 4) }
        changes.append(change)
    }

    /// A consumer is gone: what it was given stays in the past.
    mutating func remove(_ consumer: ConsumerKey) { current.removeAll { $0.consumer == consumer } }

    // MARK: Looking back

    /// What was known at a moment: the last sample before it.
    public func sample(at instant: MediaInstant) -> BandwidthSample? { samples.last { $0.at <= instant } }

    /// What a consumer was given at a moment; `nil` if that is not known.
    public func change(of consumer: ConsumerKey, at instant: MediaInstant) -> LayerChange? {
        if let current = current.first(where: { $0.consumer == consumer }), current.at <= instant { return current }
        return changes.last { $0.consumer == consumer && $0.at <= instant }
    }
}
