@testable import RoundhouseMedia

/// A path, a load, and the figures that count.
struct Scenario {
    struct Figure {
        var name: String
        var value: Double
        var goal: Double
        /// Whether less is better.
        var isCost: Bool
        /// What may differ without any meaning.
        var grain: Double

        init(_ name: String, _ value: Double, goal: Double, isCost: Bool = true, grain: Double = 0.02) {
            self.name = name
            self.value = value
            self.goal = goal
            self.isCost = isCost
            self.grain = grain
        }
    }

    let name: String
    let path: Path
    let load: Load
    /// In seconds.
    let duration: Double
    let start: UInt64 = 600_000
    let figures: (Record) -> [Figure]

    init(
        _ name: String, _ path: Path, _ load: Load, duration: Double = 60,
        figures: @escaping (Record) -> [Figure]
    ) {
        self.name = name
        self.path = path
        self.load = load
        self.duration = duration
        self.figures = figures
    }

    func simulation(seed: UInt64, policy: (MediaInstant) -> any Policy) -> Simulation {
        Simulation(path, load: load, duration: duration, seed: seed, policy: policy)
    }
}
