@testable import RoundhouseMedia

/// Bytes for tests of parsers, and the means to bend them.
enum WireSamples {
    /// Bytes from hexadecimal digits; spaces and line ends do not count.
    static func hex(_ text: String) -> [UInt8] {
        let digits = text.compactMap(\.hexDigitValue)
        precondition(digits.count % 2 == 0)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// What `body` writes into a buffer of `capacity` bytes.
    static func written(
        capacity: Int = 2048, _ body: (inout ByteWriter) throws(WireError) -> Void
    ) throws(WireError) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 1)
        defer { buffer.deallocate() }
        var writer = ByteWriter(buffer)
        try body(&writer)
        return Array(writer.written)
    }

    /// The first packet of a compound packet, handed to `body` while its bytes are alive.
    static func withPacket<T>(_ bytes: [UInt8], _ body: (RTCPPacketView) throws -> T) throws -> T? {
        try bytes.withUnsafeBytes { buffer in
            var reader = RTCPCompoundReader(buffer)
            return try reader.next().map(body)
        }
    }

    /// Passes every proper prefix of `sample` to `parse`.
    static func forEachTruncation(of sample: [UInt8], _ parse: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        for count in 0..<sample.count { try Array(sample[..<count]).withUnsafeBytes(parse) }
    }

    /// Passes `iterations` damaged copies of the samples to `parse`: bits flipped, bytes replaced, ends cut or grown.
    static func fuzz(
        _ samples: [[UInt8]], iterations: Int = 20_000, seed: UInt64 = 1, _ parse: (UnsafeRawBufferPointer) -> Void
    ) {
        var generator = Generator(seed: seed)
        for _ in 0..<iterations {
            var bytes = samples[Int(generator.next() % UInt64(samples.count))]
            for _ in 0..<(1 + generator.next() % 4) {
                let choice = generator.next()
                guard !bytes.isEmpty else { break }
                let index = Int(generator.next() % UInt64(bytes.count))
                switch choice % 8 {
                case 0...2: bytes[index] ^= 1 << UInt8(choice >> 8 & 7)
                case 3: bytes[index] = UInt8(truncatingIfNeeded: choice >> 8)
                case 4: bytes[index] = choice & 0x100 == 0 ? 0xFF : 0
                case 5: bytes.removeLast(bytes.count - index)
                case 6: bytes.append(UInt8(truncatingIfNeeded: choice >> 8))
                default: bytes.remove(at: index)
                }
            }
            bytes.withUnsafeBytes(parse)
        }
    }

    /// SplitMix64: the same numbers for the same seed everywhere.
    struct Generator: RandomNumberGenerator {
        private var state: UInt64

        init(seed: UInt64) { state = seed }

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
            return z ^ z >> 31
        }
    }
}
