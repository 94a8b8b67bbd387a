import Foundation

@testable import RoundhouseMedia

/// What the command line asks for.
///
///     scenarios write FILE [SEEDS]     runs all scenarios, writes the scoreboard
///     scenarios check FILE [SEEDS]     fails if a figure is worse than the scoreboard's by more than noise and 5 %
///     scenarios trace SCENARIO [SEED]  prints what happens, ten times a second
///     scenarios measure                prints nanoseconds of the calls, and bytes of a snapshot
struct Command {
    let arguments: [String]

    private func number(_ index: Int, or standard: UInt64) -> UInt64 {
        arguments.indices.contains(index) ? UInt64(arguments[index]) ?? standard : standard
    }

    /// - Returns: whether all is well.
    func run() async throws -> Bool {
        let file = URL(fileURLWithPath: arguments.count > 1 ? arguments[1] : "scoreboard.txt")
        switch arguments.first {
        case "write":
            let board = await Scoreboard.measured(seeds: number(2, or: 50), withReference: true)
            try board.text.write(to: file, atomically: true, encoding: .utf8)
            print(board.text, terminator: "")
            print(board.violations.sorted().joined(separator: "\n"))
            return board.violations.isEmpty
        case "check":
            let committed = Scoreboard(parsing: try String(contentsOf: file, encoding: .utf8))
            let board = await Scoreboard.measured(seeds: number(2, or: 5), withReference: false)
            let complaints = board.violations.sorted() + board.worse(than: committed)
            print(
                complaints.isEmpty
                    ? "\(board.lines.count) figures, none worse" : complaints.joined(separator: "\n"))
            return complaints.isEmpty
        case "trace":
            guard arguments.count > 1,
                let scenario = Scenario.all.first(where: { $0.name == arguments[1] })
            else {
                print(Scenario.all.map(\.name).joined(separator: " "))
                return false
            }
            let simulation = scenario.simulation(seed: number(2, or: 1)) {
                RoundhousePolicy(start: scenario.start, at: $0)
            }
            simulation.isTracing = true
            simulation.run()
            for figure in scenario.figures(simulation.record) { print(figure.name, figure.value) }
            print(simulation.violations.sorted().joined(separator: "\n"))
            return true
        case "measure":
            Measurement.run()
            return true
        default:
            print("scenarios write FILE [SEEDS] | check FILE [SEEDS] | trace SCENARIO [SEED] | measure")
            return false
        }
    }
}
