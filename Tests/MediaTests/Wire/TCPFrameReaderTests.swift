import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Packets of a TCP connection")
struct TCPFrameReaderTests {
    /// Reads a stream that comes in pieces of these lengths, the last of them the rest.
    private static func packets(of stream: [UInt8], cutInto lengths: [Int] = []) throws -> [[UInt8]] {
        var reader = TCPFrameReader()
        var scratch = [UInt8](repeating: 0, count: TCPFrameReader.longest)
        var packets: [[UInt8]] = []
        var start = 0
        for length in lengths + [stream.count] where start < stream.count {
            let end = min(start + length, stream.count)
            var piece = Array(stream[start..<end])
            try piece.withUnsafeMutableBytes { buffer in
                try scratch.withUnsafeMutableBytes { scratch in
                    var input = buffer
                    while let packet = try reader.next(in: &input, scratch: scratch) { packets.append(Array(packet)) }
                    #expect(input.isEmpty)
                }
            }
            start = end
        }
        return packets
    }

    private static func packet(_ length: Int, _ mark: Int) -> [UInt8] {
        (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ mark) }
    }

    private static func stream(of packets: [[UInt8]]) -> [UInt8] { packets.flatMap(VirtualStream.frame) }

    @Test func `a stream cut at every byte gives the same packets`() throws {
        let sent = [13, 20, 255, 256, 13].enumerated().map { Self.packet($1, $0) }
        let stream = Self.stream(of: sent)
        for first in 0...stream.count {
            #expect(try Self.packets(of: stream, cutInto: [first]) == sent)
            #expect(try Self.packets(of: stream, cutInto: [first, 1]) == sent)
        }
        #expect(try Self.packets(of: stream, cutInto: Array(repeating: 1, count: stream.count)) == sent)
    }

    @Test func `a thousand packets in one segment are a thousand packets`() throws {
        let sent = (0..<1000).map { Self.packet(13 + $0 % 50, $0) }
        #expect(try Self.packets(of: Self.stream(of: sent)) == sent)
    }

    @Test func `the longest packet passes, and packets of no bytes are passed over`() throws {
        let sent = [Self.packet(TCPFrameReader.longest, 1), Self.packet(TCPFrameReader.shortest, 2)]
        let stream = [0, 0] + VirtualStream.frame(sent[0]) + [0, 0, 0, 0] + VirtualStream.frame(sent[1]) + [0, 0]
        for first in [0, 1, 2, 3, 2049, 2050, 2052, 2053, 2055] {
            #expect(try Self.packets(of: stream, cutInto: [first]) == sent)
        }
        #expect(try Self.packets(of: stream, cutInto: Array(repeating: 1, count: stream.count)) == sent)
    }

    @Test(arguments: [1, 2, 12, 2049, 4096, 0x1603, 0xFFFF])
    func `a length that no packet has ends the stream, whole or in pieces`(length: Int) {
        let stream = [UInt8(length >> 8), UInt8(truncatingIfNeeded: length)] + Self.packet(64, 0)
        for first in 0...3 {
            #expect(throws: WireError.malformed) { try Self.packets(of: stream, cutInto: [first]) }
        }
    }

    @Test func `random bytes in random pieces give an error or packets, and never more than came`() {
        var random = SplitMix(seed: 6544)
        for _ in 0..<2_000 {
            let stream = (0..<Int(random.next() % 300)).map { index -> UInt8 in
                // High bytes of lengths are small, or every stream ended at once.
                index % 2 == 0 ? 0 : UInt8(truncatingIfNeeded: random.next())
            }
            let lengths = (0..<8).map { _ in Int(random.next() % 40) + 1 }
            let packets = (try? Self.packets(of: stream, cutInto: lengths)) ?? []
            #expect(packets.reduce(0) { $0 + $1.count + 2 } <= stream.count)
            #expect(packets.allSatisfy { (TCPFrameReader.shortest...TCPFrameReader.longest).contains($0.count) })
        }
    }
}
