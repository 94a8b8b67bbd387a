import Foundation

/// Every figure of every scenario over many seeds, as a file that is kept beside the code.
struct Scoreboard {
    struct Line {
        var scenario: String
        var figure: String
        /// Over the seeds: the middle one, and the one that only one in twenty is worse than.
        var middle: Double
        var bad: Double
        var goal: Double
        var isCost: Bool
        var grain: Double
        var reference: Double?

        /// The bad one may be half as much off.
        var isMet: Bool {
            isCost
                ? middle <= goal + grain / 2 && bad <= goal * 1.5 + grain
                : middle >= goal - grain / 2 && 1 - bad <= (1 - goal) * 1.5 + grain
                    || goal > 1 && middle >= goal
        }
    }

    var lines: [Line] = []
    /// Broken invariants.
    var violations: Set<String> = []

    private static func middle(_ values: [Double]) -> Double { values[values.count / 2] }

    static func measured(seeds: UInt64, withReference: Bool) async -> Scoreboard {
        var board = Scoreboard()
        let count = Scenario.all.count
        let results = await withTaskGroup(of: (Int, [Line], Set<String>).self) { group in
            for index in 0..<count {
                group.addTask {
                    let (lines, violations) = measure(Scenario.all[index], seeds, withReference)
                    return (index, lines, violations)
                }
            }
            return await group.reduce(into: [(Int, [Line], Set<String>)]()) { $0.append($1) }
        }
        for (_, lines, violations) in results.sorted(by: { $0.0 < $1.0 }) {
            board.lines += lines
            board.violations.formUnion(violations)
        }
        return board
    }

    private static func measure(
        _ scenario: Scenario, _ seeds: UInt64, _ withReference: Bool
    ) -> ([Line], Set<String>) {
        var values: [[Double]] = []
        var referenceValues: [[Double]] = []
        var figures: [Scenario.Figure] = []
        var violations: Set<String> = []
        for seed in 1...seeds {
            let simulation = scenario.simulation(seed: seed) {
                RoundhousePolicy(start: scenario.start, at: $0)
            }
            simulation.run()
            figures = scenario.figures(simulation.record)
            values.append(figures.map(\.value))
            violations.formUnion(simulation.violations.map { "\(scenario.name), seed \(seed): \($0)" })
            guard withReference else { continue }
            let reference = scenario.simulation(seed: seed) {
                ReferencePolicy(start: scenario.start, at: $0)
            }
            reference.run()
            referenceValues.append(scenario.figures(reference.record).map(\.value))
        }
        let lines = figures.indices.map { index in
            let figure = figures[index]
            let sorted = values.map { $0[index] }.sorted(by: figure.isCost ? { $0 < $1 } : { $0 > $1 })
            return Line(
                scenario: scenario.name, figure: figure.name, middle: middle(sorted),
                bad: sorted[min(Int((Double(sorted.count) * 0.95).rounded(.down)), sorted.count - 1)],
                goal: figure.goal, isCost: figure.isCost, grain: figure.grain,
                reference: withReference ? middle(referenceValues.map { $0[index] }.sorted()) : nil)
        }
        return (lines, violations)
    }

    // MARK: Text

    private static func padded(_ text: String, _ width: Int) -> String {
        text.count >= width ? text : String(repeating: " ", count: width - text.count) + text
    }

    private static func rounded(_ value: Double) -> String {
        String(format: value >= 100 ? "%.0f" : "%.3f", value)
    }

    var text: String {
        var text = """
            # Made by `make scenarios`: figures over 50 seeds; times in seconds, queues in milliseconds.
            # bad: one seed in twenty is worse. reference: the middle of a policy with the constants of libwebrtc's.
            #    scenario       figure     p50     bad    goal  reference

            """
        for line in lines {
            text += Self.padded(line.scenario, 14) + Self.padded(line.figure, 13)
            text += Self.padded(Self.rounded(line.middle), 8) + Self.padded(Self.rounded(line.bad), 8)
            text += Self.padded((line.isCost ? "<" : ">") + Self.rounded(line.goal), 8)
            text += Self.padded(line.reference.map(Self.rounded) ?? "-", 11)
            text += line.isMet ? "\n" : "  missed\n"
        }
        let met = lines.count(where: \.isMet)
        return text + "# \(met) of \(lines.count) goals are met.\n"
    }

    init() {}

    /// Reads what `text` wrote; what counts of it is what was reached.
    init(parsing text: String) {
        for row in text.split(separator: "\n") where !row.hasPrefix("#") {
            let words = row.split(separator: " ")
            guard words.count >= 6, let middle = Double(words[2]), let bad = Double(words[3]),
                let goal = Double(words[4].dropFirst())
            else { continue }
            lines.append(
                Line(
                    scenario: String(words[0]), figure: String(words[1]), middle: middle, bad: bad,
                    goal: goal,
                    isCost: words[4].first == "<", grain: 0, reference: nil))
        }
    }

    /// What is worse than it was by more than 5 %, what has no meaning, and what seeds differ by.
    func worse(than committed: Scoreboard) -> [String] {
        lines.compactMap { line in
            guard
                let old = committed.lines.first(where: {
                    $0.scenario == line.scenario && $0.figure == line.figure
                })
            else { return "\(line.scenario) \(line.figure): not in the scoreboard: run `make scenarios`" }
            let allowed = abs(old.middle) * 0.05 + line.grain + 2 * abs(old.bad - old.middle)
            let isWorse =
                line.isCost ? line.middle > old.middle + allowed : line.middle < old.middle - allowed
            guard isWorse else { return nil }
            return
                "\(line.scenario) \(line.figure): \(Self.rounded(line.middle)), was \(Self.rounded(old.middle))"
                + " (bad \(Self.rounded(old.bad)))"
        }
    }
}
