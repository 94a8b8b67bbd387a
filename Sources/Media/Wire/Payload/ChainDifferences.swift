/// Distances in frame numbers to the previous frame of each chain; zero starts the chain again.
struct ChainDifferences: Hashable, Sendable {
    private var values = InlineArray<32, UInt8>(repeating: 0)

    subscript(chain: Int) -> UInt8 {
        get { values[chain] }
        set { values[chain] = newValue }
    }

    static func == (a: Self, b: Self) -> Bool {
        for index in 0..<32 where a.values[index] != b.values[index] { return false }
        return true
    }

    func hash(into hasher: inout Hasher) {
        for index in 0..<32 { hasher.combine(values[index]) }
    }
}
