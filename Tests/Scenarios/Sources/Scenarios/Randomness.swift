@testable import RoundhouseMedia

/// Random values of the distributions that paths need, from one seed.
struct Randomness {
    private var generator: SplitMix

    init(seed: UInt64) { generator = SplitMix(seed: seed) }

    mutating func unit() -> Double { Double(generator.next() >> 11) / 9_007_199_254_740_992 }
    mutating func chance(_ probability: Double) -> Bool { probability > 0 && unit() < probability }
    mutating func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * unit() }
    /// About normal with mean 0 and deviation 1: a sum of twelve uniform values.
    mutating func normal() -> Double { (0..<12).reduce(-6) { sum, _ in sum + unit() } }
}
