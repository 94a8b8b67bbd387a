import Foundation

/// What the machine takes at least: a bare loop that receives, rewrites, seals and sends, and nothing else.
struct Floor: Codable {
    /// What becomes of what the bare loop sends.
    enum Receivers: String {
        /// Another process on the generator's core reads it, as a server's receivers do.
        case read
        /// The kernel throws it away at the receivers' full buffers: nothing is queued, and no memory goes from core to core.
        case unread
    }

    var burst: Int
    var cpu_us_per_pkt: Double

    static func run(_ load: Load, burst: Int, _ receivers: Receivers, seconds: Int, _ bench: Bench) throws -> Floor? {
        let program = bench.tools.appendingPathComponent("Floor").path
        guard FileManager.default.isExecutableFile(atPath: program) else { return nil }
        let rate = load.packetsPerSecond * Double(load.publishers * load.rooms)
        let options = [
            "--dests", "\(load.subscribers)", "--payload", "\(load.payload)", "--pps", "\(rate)", "--seconds",
            "\(seconds)", "--profile", load.profile, "--send", "gso", "--burst", "\(burst)",
            "--sink", receivers.rawValue, "--reader-core", bench.loadCores,
        ]
        let process = try ChildProcess(program, options, cores: bench.serverCores)
        defer { process.stop() }
        return try JSONDecoder().decode(Floor.self, from: Data(process.line(startingWith: "{").utf8))
    }

    static func median(
        _ load: Load, burst: Int, _ receivers: Receivers = .read, runs: Int, _ bench: Bench
    ) throws -> Double? {
        let results = try (0..<runs).compactMap { _ in
            try run(load, burst: burst, receivers, seconds: 2, bench)?.cpu_us_per_pkt
        }
        guard !results.isEmpty else { return nil }
        Bench.progress("floor, burst \(burst), \(receivers): \(results.median.text(2)) µs CPU per packet")
        return results.median
    }
}
