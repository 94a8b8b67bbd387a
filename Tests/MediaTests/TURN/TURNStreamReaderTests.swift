import Testing

@testable import RoundhouseMedia

@Suite("Frames of TURN on a connection")
struct TURNStreamReaderTests {
    private typealias Frame = TURNStreamReader.Frame

    private static func frames(_ stream: [UInt8], cutAt cuts: [Int] = []) -> [Frame] {
        var reader = TURNStreamReader()
        var frames: [Frame] = []
        var start = 0
        for end in cuts + [stream.count] where end > start {
            reader.append(stream[start..<end])
            start = end
            while true {
                let frame = reader.next()
                if frame == .incomplete { break }
                frames.append(frame)
                if frame == .malformed { return frames }
            }
        }
        return frames
    }

    private static func channel(_ number: UInt16, _ payload: [UInt8]) -> [UInt8] {
        let length = payload.count
        let header = [UInt8(number >> 8), UInt8(number & 255), UInt8(length >> 8), UInt8(length & 255)]
        return header + payload + [UInt8](repeating: 0, count: (4 - length % 4) % 4)
    }

    private static let message: [UInt8] = [0, 1, 0, 4, 0x21, 0x12, 0xA4, 0x42] + [UInt8](repeating: 7, count: 16)

    @Test func `messages and channel data are the same, wherever they are cut`() {
        let stream =
            Self.channel(0x4000, [1, 2, 3]) + Self.message + Self.channel(0x4FFF, []) + Self.channel(0x4001, [9])
        let expected: [Frame] = [
            .channelData(channel: 0x4000, [1, 2, 3]), .message(Self.message), .channelData(channel: 0x4FFF, []),
            .channelData(channel: 0x4001, [9]),
        ]
        for cut in 0...stream.count { #expect(Self.frames(stream, cutAt: [cut]) == expected) }
        #expect(Self.frames(stream, cutAt: Array(stream.indices)) == expected)
    }

    @Test func `reserved numbers are passed over, and what is no frame ends the stream`() {
        #expect(
            Self.frames(Self.channel(0x7FFF, [1]) + Self.channel(0x7FFF, [2, 3]) + Self.message) == [
                .message(Self.message)
            ])
        for first in [0x80, 0xC0, 0xFF] as [UInt8] { #expect(Self.frames([first, 0, 0, 0]) == [.malformed]) }
        // Longer than anything that is relayed: 64 KiB.
        #expect(Self.frames([0x40, 0, 0xFF, 0xFF]) == [.malformed])
        #expect(Self.frames([0x00, 1, 0xFF, 0xFC]) == [.malformed])
    }

    @Test func `nothing but the frame that has not come whole is kept`() {
        var reader = TURNStreamReader()
        let frame = Self.channel(0x4000, [UInt8](repeating: 5, count: 1200))
        for _ in 0..<1000 {
            reader.append(frame)
            #expect(reader.next() == .channelData(channel: 0x4000, [UInt8](repeating: 5, count: 1200)))
            #expect(reader.next() == .incomplete)
        }
    }

    @Test func `a datagram is one frame, and needs no padding`() {
        #expect(TURNStreamReader.datagram(Self.message) == .message(Self.message))
        #expect(TURNStreamReader.datagram([0x40, 0, 0, 3, 1, 2, 3]) == .channelData(channel: 0x4000, [1, 2, 3]))
        #expect(TURNStreamReader.datagram([0x40, 0, 0, 3, 1, 2, 3, 0]) == .channelData(channel: 0x4000, [1, 2, 3]))
        for wrong in [[], [0x40], [0x40, 0, 0, 4, 1, 2, 3], [0x7F, 0xFF, 0, 0], [0xFF, 0, 0, 0]] as [[UInt8]] {
            #expect(TURNStreamReader.datagram(wrong) == .malformed)
        }
    }
}
