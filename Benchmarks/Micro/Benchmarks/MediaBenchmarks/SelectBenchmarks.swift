import Benchmark

@testable import Media

func selectBenchmarks() {
    Benchmark("select: one encoding") { benchmark in
        var selector = SimulcastSelector(encodings: 1)
        for number in benchmark.scaledIterations {
            let now = MediaInstant(nanoseconds: UInt64(number) * 3_000_000)
            blackHole(selector.packetReceived(encoding: 0, isKeyFrame: number == 0, at: now))
        }
    }
    Benchmark("select: three encodings of simulcast") { benchmark in
        var selector = SimulcastSelector(encodings: 3)
        for number in benchmark.scaledIterations {
            let now = MediaInstant(nanoseconds: UInt64(number) * 1_000_000)
            blackHole(selector.packetReceived(encoding: number % 3, isKeyFrame: number % 300 < 3, at: now))
        }
    }
}
