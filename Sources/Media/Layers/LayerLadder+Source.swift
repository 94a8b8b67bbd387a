/// Ladders of what a source sends, and what its layers are worth.
extension LayerLadder {
    /// A stream that is sent whole or not at all.
    mutating func addWhole(rates: inout SourceRates, at now: MediaInstant) {
        guard let highest = rates.highestSpatial else { return }
        var cost: UInt64 = 0
        for spatial in 0...highest { cost += rates.cost(spatial: spatial, temporal: 7, at: now) ?? 0 }
        add(LayerStep(position: .highest, cost: max(cost, 1), value: Self.values[0]))
    }

    /// Adds each temporal layer of a spatial one.
    /// - Parameters:
    ///   - count: how many spatial layers there are: what one is worth depends on those above.
    ///   - limit: the highest temporal layer that is wanted.
    ///   - needsLower: whether a receiver gets the lower spatial layers, too.
    mutating func addLayers(
        of spatial: Int, among count: Int, upTo limit: Int, needsLower: Bool = false, rates: inout SourceRates,
        at now: MediaInstant
    ) {
        let rank = min(max(count - 1 - spatial, 0), Self.values.count - 1)
        let highest = rates.highestTemporal(of: spatial) ?? 0
        let wanted = min(highest, limit)
        for temporal in 0...wanted {
            let thinned = min(highest - temporal, Self.rateFactors.count - 1)
            let guess = Self.unknownCosts[rank] * Self.costFactors[thinned] / 100
            // A client that wants fewer pictures a second misses nothing at that rate: no smaller picture is worth more.
            let missing = min(wanted - temporal, Self.rateFactors.count - 1)
            var cost = rates.cost(spatial: spatial, temporal: temporal, guess: guess, at: now) ?? guess
            if needsLower {
                for lower in 0..<spatial { cost += rates.cost(spatial: lower, temporal: temporal, at: now) ?? 0 }
            }
            // The highest one stands for all: senders may use more than they have shown.
            let position = LayerPosition(
                spatial: spatial, temporal: temporal == highest ? LayerPosition.highest.temporal : temporal)
            add(LayerStep(position: position, cost: cost, value: Self.values[rank] * Self.rateFactors[missing] / 100))
        }
    }

    /// What a picture is worth, the largest first: each has a quarter of the pixels of the one before.
    private static let values = [940, 760, 520, 300, 200, 150, 100, 50]
    /// In percent: at full rate, half of it, a quarter, and less.
    private static let rateFactors = [100, 85, 60, 40]
    /// What of its cost is left, in percent.
    private static let costFactors: [UInt64] = [100, 60, 40, 25]
    /// What one is taken to cost before it has been sent for long enough: Chromium's targets of 720, 360 and 180 lines.
    private static let unknownCosts: [UInt64] = [
        1_500_000, 500_000, 150_000, 80_000, 50_000, 40_000, 30_000, 20_000,
    ]
}
