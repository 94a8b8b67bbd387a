/// Finds the highest rate at which a loaded server still loses less than 0.1 % with a p99 latency below 20 ms.
enum Sweep {
    static func passes(_ run: Measurement) -> Bool {
        run.isValid && run.loss < 0.001 && run.latency_us.p99 < 20_000
    }

    /// - Parameter start: packets per second of each publisher to begin with.
    /// - Returns: the fastest run that passed, or nil where the first already fails.
    static func highest(_ name: String, _ generator: LoadGenerator, from start: Double, seconds: Int) throws
        -> Measurement?
    {
        var best: Measurement?
        func attempt(_ pace: Double) throws -> Bool {
            generator.setPace(pace)
            // A neighbor's moment on a shared machine is no limit of the server: two tries.
            for _ in 0..<2 {
                let run = try generator.measure("\(name), \(Int(pace)) packets/s each", seconds: seconds, warmUp: 0.5)
                guard passes(run) else { continue }
                if run.figures.packetsPerSecond > best?.figures.packetsPerSecond ?? 0 { best = run }
                return true
            }
            return false
        }
        var good = start
        var bad = start
        while try attempt(bad) {
            good = bad
            bad *= 2
        }
        guard best != nil else { return nil }
        for _ in 0..<4 {
            let middle = (good + bad) / 2
            if try attempt(middle) { good = middle } else { bad = middle }
        }
        return best
    }
}
