import Synchronization

/// Counts values by how large they are; safe from any thread.
public final class Histogram: Sendable {
    /// What was observed so far.
    public struct Figures: Sendable {
        /// How many values each bucket took, the one beyond the bounds last.
        public var counts: [UInt64]
        /// Of all values.
        public var sum = 0.0
    }

    /// The greatest value that each bucket takes, ascending.
    public let bounds: [Double]
    private let state: Mutex<Figures>

    /// - Parameter bounds: ascending; one more bucket takes what is beyond.
    public init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(Figures(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    /// Puts a value into its bucket; what is no number is left out.
    public func observe(_ value: Double) {
        guard value.isFinite else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[bucket] &+= 1
            state.sum += value
        }
    }

    /// As it is now.
    public var figures: Figures { state.withLock { $0 } }
}
