@testable import RoundhouseMedia

// MARK: Paths

/// A path of one rate, and what else is true of it.
private func link(_ rate: Double, queue: Double = 0.3, _ change: (inout Path) -> Void = { _ in })
    -> Path
{
    var path = Path()
    path.rate = { _ in rate }
    path.nominalRate = rate
    path.queueTime = queue
    change(&path)
    return path
}

private func changing(_ nominal: Double, _ rate: @escaping (Double) -> Double) -> Path {
    link(nominal) { $0.rate = rate }
}

private func policer(_ bucket: Double) -> Path {
    link(1_500_000) {
        $0.policerBucket = bucket
        $0.delay = { _ in 0.05 }
    }
}

// MARK: Figures

private let unlimited = 20_000_000.0

private func elastic(_ record: Record, t90: Double, use: Double, q95: Double) -> [Scenario.Figure] {
    let reached = record.timeToReach(0.9, from: 0, to: record.duration, limit: unlimited)
    let from = min(reached + 1, record.duration - 10)
    let used = record.use(from: from, to: record.duration, limit: unlimited)
    return [
        .init("t90", reached, goal: t90, grain: 0.3),
        .init("use", used, goal: use, isCost: false),
        .init("q95", record.queue(percentile: 0.95, from: 1, to: record.duration), goal: q95, grain: 5),
        .init("over", record.overestimated(from: from, to: record.duration), goal: 0.05),
        .init("loss", record.lossPart, goal: 0.005, grain: 0.002),
    ]
}

/// One camera, or several: how soon and how long the first one has a layer.
private func camera(
    _ record: Record, layer: Int = 2, by: Double = 4, held: Double = 0.98, switches: Double = 3.5
) -> [Scenario.Figure] {
    let freezes = Double(record.freezes(from: 2, to: record.duration).count)
    return [
        .init("first", record.firstTime(atLayer: layer), goal: by, grain: 0.3),
        .init(
            "held", record.timeAtLayer(layer, from: by, to: record.duration), goal: held, isCost: false),
        .init("switches", Double(record.switches) / record.duration * 60, goal: switches, grain: 1),
        .init("freezes", freezes, goal: 0, grain: 1),
        .init("q95", record.queue(percentile: 0.95, from: 3, to: record.duration), goal: 80, grain: 5),
        .init("loss", record.lossPart, goal: 0.005, grain: 0.002),
        .init("filler", record.fillerPart, goal: 0.05, grain: 0.01),
    ]
}

/// A camera on a path that loses packets however little is sent.
private func lossy(_ record: Record, held: Double) -> [Scenario.Figure] {
    let least = record.leastEstimate(from: 5, to: record.duration) / 1_000_000
    return camera(record, held: held, switches: 5).filter {
        $0.name != "loss" && $0.name != "freezes"
    }
        + [.init("least", least, goal: 1.6, isCost: false, grain: 0.1)]
}

private func policed(_ record: Record, loss: Double, use: Double) -> [Scenario.Figure] {
    let used = record.use(from: 10, to: record.duration, limit: unlimited)
    return [
        .init("use", used, goal: use, isCost: false),
        .init("loss", record.lossPart, goal: loss, grain: 0.003),
    ]
}

/// From 3 Mb/s to 0.5 and back, at 30 and 60 s.
private func dipped(_ record: Record, back: Double) -> [Scenario.Figure] {
    let freezes = record.freezes(from: 28, to: 60)
    return [
        .init("react", record.reaction(to: 30), goal: 0.35, grain: 0.1),
        .init("q_later", record.queue(percentile: 0.95, from: 31.5, to: 60), goal: 50, grain: 20),
        .init("back", back, goal: 6, grain: 0.5),
        .init("freezes", Double(freezes.count), goal: 1, grain: 1),
        .init("longest", freezes.longest, goal: 0.6, grain: 0.1),
    ]
}

private func outage(_ seconds: Double) -> Scenario {
    let end = 30 + seconds
    return Scenario(
        "17.\(Int(seconds))", link(3_000_000) { $0.isDown = { $0 >= 30 && $0 < end } }, .cameras(1),
        duration: end + 30
    ) { record in
        let video = (record.frameTimes.first { $0 > end } ?? record.duration) - end
        let held = record.timeAtLayer(2, from: end + 5, to: record.duration)
        return [
            .init("video", video, goal: 1, grain: 0.1),
            .init("back", record.firstTime(atLayer: 2, from: end), goal: 5, grain: 0.3),
            .init("held", held, goal: 0.98, isCost: false),
        ]
    }
}

// MARK: All of them

extension Scenario {
    static var all: [Scenario] { constant + changes + losses + disturbances }

    private static var constant: [Scenario] {
        [
            Scenario("1.E", link(300_000), .elastic) { elastic($0, t90: 3, use: 0.88, q95: 80) },
            Scenario("1.video", link(300_000), Load(isElastic: true, isQuiet: { _ in true })) {
                elastic($0, t90: 4, use: 0.85, q95: 120)
            },
            Scenario("1.L", link(300_000), .cameras(1)) { camera($0, layer: 0, held: 1) },
            Scenario("2.E", link(600_000), .elastic) { elastic($0, t90: 3, use: 0.88, q95: 60) },
            Scenario("3.E", link(1_000_000), .elastic) { elastic($0, t90: 3, use: 0.9, q95: 60) },
            Scenario("3.L", link(1_000_000), .cameras(1)) { camera($0, layer: 1, by: 2) },
            Scenario("4.E", link(2_500_000), .elastic) { elastic($0, t90: 2.5, use: 0.92, q95: 60) },
            Scenario("4.L", link(2_500_000), .cameras(1)) { camera($0, by: 3) },
            Scenario("5.10L", link(20_000_000), .cameras(10)) {
                camera($0, switches: 30) + [.init("all", $0.firstTime(allAtLayer: 2), goal: 5, grain: 0.3)]
            },
            Scenario("12.E", link(1_000_000, queue: 1), .elastic) { record in
                elastic(record, t90: 4, use: 0.88, q95: 150)
                    + [.init("peak", record.queue(percentile: 1, from: 0, to: 3), goal: 500, grain: 20)]
            },
            Scenario("12.L", link(1_000_000, queue: 1), .cameras(1)) { camera($0, layer: 1, by: 2) },
        ]
    }

    private static var changes: [Scenario] {
        let dip = changing(3_000_000) { $0 < 30 || $0 >= 60 ? 3_000_000 : 500_000 }
        let stairs = [4e6, 2e6, 1e6, 0.5e6, 1e6, 2e6, 4e6]
        return [
            Scenario("6.E", dip, .elastic, duration: 90) { record in
                dipped(record, back: record.timeToReach(0.9, from: 60, to: 90, limit: unlimited))
                    + [
                        .init("use", record.use(from: 35, to: 60, limit: unlimited), goal: 0.85, isCost: false)
                    ]
            },
            Scenario("6.L", dip, .cameras(1), duration: 90) {
                dipped($0, back: $0.firstTime(atLayer: 2, from: 60))
            },
            Scenario(
                "7.4L", changing(4_000_000) { stairs[min(Int($0 / 10), 6)] }, .cameras(4), duration: 70
            ) { record in
                [
                    .init("use", record.use(from: 3, to: 70, limit: unlimited), goal: 0.8, isCost: false),
                    .init("freezes", Double(record.freezes(from: 2, to: 70).count), goal: 0, grain: 1),
                    .init("switches", Double(record.switches), goal: 56, grain: 4),
                    .init("q95", record.queue(percentile: 0.95, from: 1, to: 70), goal: 80, grain: 5),
                ]
            },
            Scenario("8.L", changing(540_000) { Int($0) % 2 == 0 ? 600_000 : 480_000 }, .cameras(1)) {
                camera($0, layer: 0, switches: 2)
            },
            outage(2), outage(5), outage(20),
        ]
    }

    private static var losses: [Scenario] {
        [
            Scenario("9.5", link(5_000_000) { $0.randomLoss = { _ in 0.05 } }, .cameras(1)) {
                lossy($0, held: 0.98)
            },
            Scenario("9.10", link(5_000_000) { $0.randomLoss = { _ in 0.1 } }, .cameras(1)) {
                lossy($0, held: 0.95)
            },
            Scenario("9.20", link(5_000_000) { $0.randomLoss = { _ in 0.2 } }, .cameras(1)) {
                lossy($0, held: 0.85)
            },
            Scenario("10.E", link(1_000_000) { $0.randomLoss = { _ in 0.1 } }, .elastic) { record in
                elastic(record, t90: 6, use: 0.8, q95: 120).filter { $0.name != "loss" }
            },
            Scenario("11.L", link(5_000_000) { $0.burstLoss = (0.02, 10) }, .cameras(1)) { record in
                camera(record).filter { $0.name != "loss" && $0.name != "freezes" }
            },
            Scenario("13.8k", policer(8_000), .elastic) { policed($0, loss: 0.04, use: 0.5) },
            Scenario("13.100k", policer(100_000), .elastic) { policed($0, loss: 0.02, use: 0.85) },
            Scenario("13.1M", policer(1_000_000), .elastic) { policed($0, loss: 0.02, use: 0.85) },
            Scenario("13.L", policer(100_000), .cameras(1)) { policed($0, loss: 0.02, use: 0.3) },
        ]
    }

    private static var disturbances: [Scenario] {
        let stall: (Double) -> Double = { $0.truncatingRemainder(dividingBy: 2) < 0.15 ? 0 : 5_000_000 }
        let held: (Double) -> Double = {
            $0.truncatingRemainder(dividingBy: 5) < 0.5 ? ($0 / 5).rounded(.down) * 5 + 0.5 : $0
        }
        // The reference time, 24 bits of 64 ms, wraps near the end.
        let steps: (Double) -> Double = { 1_073_715 + ($0 >= 20 && $0 < 40 ? 5 : 0) }
        let cases: [(name: String, path: Path, by: Double, held: Double)] = [
            ("14.30-100", link(3_000_000) { $0.jitter = (0.03, 0.1) }, 5, 0.95),
            ("14.0-100", link(3_000_000) { $0.jitter = (0, 0.1) }, 5, 0.95),
            ("15.L", link(5_000_000, queue: 1) { $0.rate = stall }, 5, 0.95),
            ("23.5", link(3_000_000) { $0.reorder = (0.05, 0.02) }, 4, 0.98),
            ("23.10", link(3_000_000) { $0.reorder = (0.1, 0.06) }, 4, 0.98),
            ("24.10", link(3_000_000) { $0.feedbackLoss = 0.1 }, 4, 0.98),
            ("24.30", link(3_000_000) { $0.feedbackLoss = 0.3 }, 6, 0.98),
            ("24.held", link(3_000_000) { $0.feedbackHeld = held }, 4, 0.98),
            ("25.L", link(3_000_000) { $0.feedbackDelay = 0.25 }, 5, 0.98),
            ("26.drift", link(3_000_000) { $0.clock = { $0 * 500e-6 } }, 4, 0.98),
            ("26.drift-", link(3_000_000) { $0.clock = { -$0 * 500e-6 } }, 4, 0.98),
            ("26.step", link(3_000_000) { $0.clock = steps }, 4, 0.98),
            ("28.+70", link(3_000_000) { $0.delay = { $0 < 30 ? 0.025 : 0.095 } }, 4, 0.9),
            ("28.-70", link(3_000_000) { $0.delay = { $0 < 30 ? 0.095 : 0.025 } }, 4, 0.98),
            ("28.+200", link(3_000_000) { $0.delay = { $0 < 30 ? 0.025 : 0.225 } }, 4, 0.9),
        ]
        return cases.map { one in
            Scenario(one.name, one.path, .cameras(1)) { record in
                // A stall freezes the picture whatever anybody does.
                camera(record, by: one.by, held: one.held).filter {
                    one.name != "15.L" || $0.name != "freezes"
                }
            }
        }
    }
}
