public import RoundhouseMedia

/// Finds the loudest audio producers, once an interval, as mediasoup's AudioLevelObserver does.
///
/// Feed it the samples of its producers; call `deadlineReached` at `nextDeadline`.
public struct AudioLevelObserver: Sendable {
    /// A producer and how loud it was.
    public struct Volume: Sendable, Hashable {
        /// Which producer.
        public var producer: ProducerID
        /// The average over the interval, −127…0 dBov.
        public var volume: Int

        /// A volume.
        public init(producer: ProducerID, volume: Int) {
            self.producer = producer
            self.volume = volume
        }
    }

    /// What to report.
    public enum Event: Sendable, Hashable {
        /// The loudest producers, loudest first.
        case volumes([Volume])
        /// Nobody is loud enough any more; reported once.
        case silence
    }

    /// Fewer samples than this in an interval say nothing.
    public static let leastSamples = 10

    private struct Sum {
        var total = 0
        var count = 0
    }

    /// 250…5000 ms.
    public let interval: MediaDuration
    private let maxEntries: Int
    private let threshold: Int
    private var sums: [ProducerID: Sum] = [:]
    private var order: [ProducerID] = []
    private var isSilent = true
    private var isPaused = false
    private var deadline: MediaInstant

    /// - Parameters:
    ///   - maxEntries: how many producers are named at most; at least 1.
    ///   - threshold: average volume from which a producer is named, −127…0 dBov.
    ///   - interval: clamped to 250…5000 ms.
    public init(
        maxEntries: Int = 1, threshold: Int = -80, interval: MediaDuration = .milliseconds(1000), at now: MediaInstant
    ) {
        self.maxEntries = max(maxEntries, 1)
        self.threshold = min(max(threshold, -127), 0)
        self.interval = min(max(interval, .milliseconds(250)), .milliseconds(5000))
        deadline = now + self.interval
    }

    /// When an interval ends; `nil` while paused.
    public var nextDeadline: MediaInstant? { isPaused ? nil : deadline }

    /// A producer is to be listened to, also after its own pause.
    public mutating func addProducer(_ producer: ProducerID) {
        guard sums[producer] == nil else { return }
        sums[producer] = Sum()
        order.append(producer)
    }

    /// A producer was removed, closed or paused.
    public mutating func removeProducer(_ producer: ProducerID) {
        guard sums.removeValue(forKey: producer) != nil else { return }
        order.removeAll { $0 == producer }
    }

    /// Samples in any order; those of producers that were not added are ignored.
    public mutating func samplesReceived(_ samples: some Sequence<AudioLevelSample>) {
        guard !isPaused else { return }
        for sample in samples where sums[sample.producer] != nil {
            sums[sample.producer]?.total += Int(sample.level)
            sums[sample.producer]?.count += 1
        }
    }

    /// Levels of one producer that were added up; one that was not added is ignored.
    /// - Parameter total: the sum of `count` levels in −dBov.
    public mutating func levelsReceived(_ producer: ProducerID, total: Int, count: Int) {
        guard !isPaused, sums[producer] != nil, count > 0 else { return }
        sums[producer]?.total += total
        sums[producer]?.count += count
    }

    /// The interval's end.
    public mutating func deadlineReached(at now: MediaInstant) -> Event? {
        guard !isPaused, now >= deadline else { return nil }
        deadline = now + interval
        var loud: [Volume] = []
        for producer in order {
            guard let sum = sums[producer], sum.count >= Self.leastSamples else { continue }
            let volume = -((2 * sum.total + sum.count) / (2 * sum.count))
            if volume >= threshold { loud.append(Volume(producer: producer, volume: volume)) }
        }
        forgetSamples()
        guard !loud.isEmpty else { return becomeSilent() }
        isSilent = false
        // Equally loud ones keep the order in which they came.
        let sorted = loud.enumerated().sorted { ($1.element.volume, $0.offset) < ($0.element.volume, $1.offset) }
        return .volumes(sorted.prefix(maxEntries).map(\.element))
    }

    /// Stops listening.
    public mutating func pause() -> Event? {
        guard !isPaused else { return nil }
        isPaused = true
        forgetSamples()
        return becomeSilent()
    }

    /// Listens again; an interval begins.
    public mutating func resume(at now: MediaInstant) {
        guard isPaused else { return }
        isPaused = false
        deadline = now + interval
    }

    private mutating func becomeSilent() -> Event? {
        guard !isSilent else { return nil }
        isSilent = true
        return .silence
    }

    private mutating func forgetSamples() {
        for producer in order { sums[producer] = Sum() }
    }
}
