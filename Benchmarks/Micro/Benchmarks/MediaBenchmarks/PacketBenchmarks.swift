import Benchmark

@testable import RoundhouseMedia

let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .mallocCountTotal], scalingFactor: .kilo, maxDuration: .seconds(2))
    packetBenchmarks()
    sealBenchmarks()
    selectBenchmarks()
}

/// A video packet with the extensions that a browser sends.
let videoPacket: [UInt8] =
    [0x90, 0x60, 0x12, 0x34, 0x00, 0x01, 0x02, 0x03, 0xCA, 0xFE, 0xBA, 0xBE]
    // RFC 8285 one-byte form: mid "0", abs-send-time, transport-wide sequence number.
    + [0xBE, 0xDE, 0x00, 0x03, 0x10, 0x30, 0x22, 0x11, 0x22, 0x33, 0x31, 0x00, 0x07, 0x00, 0x00, 0x00]
    + [UInt8](repeating: 0x55, count: 1100)

private func packetBenchmarks() {
    Benchmark("parse: an RTP header") { benchmark in
        videoPacket.withUnsafeBytes { packet in
            for _ in benchmark.scaledIterations { blackHole(try? RTPHeader(parsing: packet)) }
        }
    }
    Benchmark("parse: an RTP header and its extensions") { benchmark in
        videoPacket.withUnsafeBytes { packet in
            for _ in benchmark.scaledIterations {
                guard let header = try? RTPHeader(parsing: packet) else { fatalError("the packet is a good one") }
                var elements = RTPExtensionIterator(header, in: packet)
                while let element = elements.next() { blackHole(element) }
            }
        }
    }
    Benchmark("rewrite: a sequence number") { benchmark in
        var sequence = SequenceRewriter(firstOutput: 1000)
        sequence.synchronize(at: 65_536)
        var input: UInt64 = 65_536
        for _ in benchmark.scaledIterations {
            blackHole(sequence.rewrite(input))
            input += 1
        }
    }
    Benchmark("rewrite: sequence number with a dropped layer") { benchmark in
        var sequence = SequenceRewriter(firstOutput: 1000)
        sequence.synchronize(at: 65_536)
        var input: UInt64 = 65_536
        for _ in benchmark.scaledIterations {
            if input % 4 == 0 { sequence.drop(input) } else { blackHole(sequence.rewrite(input)) }
            input += 1
        }
    }
}
