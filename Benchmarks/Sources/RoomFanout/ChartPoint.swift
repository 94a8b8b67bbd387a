/// CPU per forwarded packet at one number of subscribers.
struct ChartPoint: Codable {
    var subscribers: Int
    /// Microseconds, as the others; nil where one packet in 100 or more is lost.
    var gateway: Double?
    var janus: Double?
    var floor: Double?

    static func measure(_ load: Load, runs: Int, seconds: Int, _ bench: Bench) async throws -> [ChartPoint] {
        var points: [ChartPoint] = []
        for subscribers in [1, 10, 50, 100, 200, 500] {
            var load = load
            load.subscribers = subscribers
            func cost(_ server: any ForwardingServer) async throws -> Double? {
                let figures = try await Comparison.measure(
                    server, load, runs: runs, seconds: seconds, sweeps: false, bench
                ).figures
                return figures.loss < 0.01 ? figures.cpuMicroseconds : nil
            }
            points.append(
                ChartPoint(
                    subscribers: subscribers, gateway: try await cost(Gateway(bench)),
                    janus: Janus.isInstalled ? try await cost(Janus(bench)) : nil,
                    floor: try Floor.median(load, burst: load.burst, runs: runs, bench)))
        }
        return points
    }

    static func table(_ points: [ChartPoint]) -> Table {
        Table(
            rows: [["subscribers", "Roundhouse", "Janus", "floor"]]
                + points.map {
                    [
                        String($0.subscribers), $0.gateway?.text(2) ?? "", $0.janus?.text(2) ?? "",
                        $0.floor?.text(2) ?? "",
                    ]
                })
    }
}
