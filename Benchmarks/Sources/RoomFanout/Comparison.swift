import Foundation

/// One server's figures under a load.
struct Comparison: Encodable {
    var server: String
    var figures: Figures
    /// The fastest run within the limits, where it was looked for.
    var highest: Measurement?
    var runs: [Measurement]

    /// Fills the server, measures it, and ends it.
    static func measure(
        _ server: any ForwardingServer, _ load: Load, runs: Int, seconds: Int, sweeps: Bool, _ bench: Bench
    ) async throws -> Comparison {
        let generator = try await server.load(load, bench)
        let measured = try (1...runs).map { run in
            try generator.measure("\(server.name), run \(run) of \(runs)", seconds: seconds)
        }
        guard let last = measured.first(where: { !$0.isValid }) ?? measured.last, last.isValid else {
            throw ChildProcess.Failure(
                description: "\(server.name): packets failed authentication, or streams are missing")
        }
        let highest =
            sweeps
            ? try Sweep.highest(server.name, generator, from: load.packetsPerSecond, seconds: 3)
            : nil
        generator.stop()
        await server.close()
        return Comparison(server: server.name, figures: .medians(of: measured), highest: highest, runs: measured)
    }
}
