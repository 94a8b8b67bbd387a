import Foundation

/// One run as the load generator reports it.
struct Measurement: Codable {
    struct Watch: Codable {
        var cpu_s_sending_fine: Double
        var rss_kib: Int
    }

    struct Latency: Codable {
        var p50: Int
        var p99: Int
    }

    var received: Int
    var loss: Double
    var latency_us: Latency
    var auth_failures: Int
    var rtcp_auth_failures: Int
    /// Transport-wide feedback that receivers sent.
    var feedbacks: Int
    var verified: Int
    var streams: Int
    var streams_expected: Int
    var failed_transports: Int
    var wall_s: Double
    /// The generator's own CPU.
    var cpu_s: Double
    var sent: Int
    /// The longest that a packet left the generator too late.
    var send_late_us_max: Int
    var watch: Watch

    init(_ line: String) throws { self = try JSONDecoder().decode(Self.self, from: Data(line.utf8)) }

    /// Garbage must not count: every tag checked on the sample is right, and every stream was seen.
    var isValid: Bool {
        auth_failures == 0 && rtcp_auth_failures == 0 && verified > 0 && streams == streams_expected
            && failed_transports == 0
    }

    var figures: Figures {
        Figures(
            packetsPerSecond: Double(received) / wall_s,
            cpuMicroseconds: watch.cpu_s_sending_fine / Double(max(received, 1)) * 1e6,
            coresBusy: watch.cpu_s_sending_fine / wall_s, latencyP50: Double(latency_us.p50) / 1000,
            latencyP99: Double(latency_us.p99) / 1000, loss: loss, memoryMiB: Double(watch.rss_kib) / 1024)
    }

    /// Of one core: near 1 the generator is the limit, not the server.
    var generatorBusy: Double { cpu_s / wall_s }

    /// A highest rate, and who was busy at it.
    var rate: String {
        let figures = self.figures
        return "\(figures.packetsPerSecond.text(0))/s (server \((figures.coresBusy * 100).text(0)) % of its core, "
            + "generator \((generatorBusy * 100).text(0)) %)"
    }

    var summary: String {
        figures.summary
            + ", generator at \((generatorBusy * 100).text(0)) %, \(verified) tags checked, \(auth_failures) wrong"
    }
}

/// What a run, or the middle of several, says.
struct Figures: Codable {
    /// Forwarded and received.
    var packetsPerSecond: Double
    /// Of the server, for each forwarded packet.
    var cpuMicroseconds: Double
    var coresBusy: Double
    /// Milliseconds.
    var latencyP50: Double
    /// Milliseconds.
    var latencyP99: Double
    /// Of one.
    var loss: Double
    var memoryMiB: Double

    var summary: String {
        String(
            format:
                "%.0f packets/s, %.2f µs CPU per packet, %.0f %% of a core, p50 %.1f ms, p99 %.1f ms, loss %.3f %%",
            packetsPerSecond, cpuMicroseconds, coresBusy * 100, latencyP50, latencyP99, loss * 100)
    }

    /// The median of each figure by itself.
    static func medians(of runs: [Measurement]) -> Figures {
        let figures = runs.map(\.figures)
        func median(_ value: (Figures) -> Double) -> Double { figures.map(value).median }
        return Figures(
            packetsPerSecond: median(\.packetsPerSecond), cpuMicroseconds: median(\.cpuMicroseconds),
            coresBusy: median(\.coresBusy), latencyP50: median(\.latencyP50), latencyP99: median(\.latencyP99),
            loss: median(\.loss), memoryMiB: median(\.memoryMiB))
    }
}

extension [Double] {
    var median: Double { isEmpty ? 0 : sorted()[count / 2] }
}
