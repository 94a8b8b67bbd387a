import Benchmark

@testable import RoundhouseMedia

func selectBenchmarks() {
    for encodings in [1, 3] {
        Benchmark("select: \(encodings) encoding(s) of simulcast") { benchmark in
            var selector = EncodingSelector(encodings: encodings)
            var source = SourceEncodings(count: encodings, clockRate: 90_000)
            var temporal = TemporalSelector()
            var timestamps = TimestampRewriter(clockRate: 90_000)
            let layers = PacketLayers()
            for number in benchmark.scaledIterations {
                let now = MediaInstant(nanoseconds: UInt64(number) * 1_000_000)
                let encoding = number % encodings
                source.packetReceived(encoding: encoding, at: now)
                blackHole(
                    selector.packetReceived(
                        encoding: encoding, layers, isKeyFrame: number % 300 < encodings, sequence: UInt64(number),
                        timestamp: UInt32(truncatingIfNeeded: number * 90), source: source, temporal: &temporal,
                        timestamps: &timestamps, at: now))
            }
        }
    }
}
