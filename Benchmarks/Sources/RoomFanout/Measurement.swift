import Foundation

/// One run as the load generator reports it.
struct Measurement {
    struct Watch: Decodable {
        var cpu_s_sending: Double
        var rss_kib: Int
    }

    struct Latency: Decodable {
        var p50: Int
        var p99: Int
    }

    struct Report: Decodable {
        var received: Int
        var loss: Double
        var latency_us: Latency
        var auth_failures: Int
        var verified: Int
        var streams: Int
        var streams_expected: Int
        var wall_s: Double
        var watch: Watch
    }

    /// The generator's own line.
    let source: String
    let report: Report

    init(_ line: String) throws {
        source = line
        report = try JSONDecoder().decode(Report.self, from: Data(line.utf8))
    }

    /// Garbage must not count: every tag checked on the sample is right, and every stream was seen.
    var isValid: Bool {
        report.auth_failures == 0 && report.verified > 0 && report.streams == report.streams_expected
    }

    var packetsPerSecond: Double { Double(report.received) / report.wall_s }
    var cpuMicroseconds: Double { report.watch.cpu_s_sending / Double(max(report.received, 1)) * 1e6 }

    var summary: String {
        String(
            format:
                "%.0f packets/s, %.2f µs CPU per packet, p50 %d µs, p99 %d µs, loss %.3f %%, %d tags checked, %d wrong",
            packetsPerSecond, cpuMicroseconds, report.latency_us.p50, report.latency_us.p99, report.loss * 100,
            report.verified, report.auth_failures)
    }

    /// Names and medians, in the order of a table.
    static func medians(of results: [Measurement]) -> [(String, String)] {
        func median(_ value: (Measurement) -> Double) -> Double {
            let sorted = results.map(value).sorted()
            return sorted[sorted.count / 2]
        }
        return [
            ("forwarded packets/s", String(format: "%.0f", median(\.packetsPerSecond))),
            ("server CPU per forwarded packet", String(format: "%.2f µs", median(\.cpuMicroseconds))),
            ("latency p50", String(format: "%.0f µs", median { Double($0.report.latency_us.p50) })),
            ("latency p99", String(format: "%.0f µs", median { Double($0.report.latency_us.p99) })),
            ("loss", String(format: "%.4f %%", median { $0.report.loss * 100 })),
            ("server memory", String(format: "%.0f MiB", median { Double($0.report.watch.rss_kib) / 1024 })),
        ]
    }
}
