import Testing

@testable import RoundhouseMedia

@Suite("SegmentPadding")
struct SegmentPaddingTests {
    private func pad(_ length: Int, headerLength: Int = 32, room: Int) -> (padding: Int, bytes: [UInt8], count: Int) {
        var buffer = [UInt8](repeating: 0xEE, count: length + room + 4)
        return buffer.withUnsafeMutableBytes { memory in
            var payload = UnsafeRawBufferPointer(rebasing: memory[..<length])
            let padding = SegmentPadding.pad(&payload, headerLength: headerLength, room: room)
            return (padding, Array(memory), payload.count)
        }
    }

    @Test func `parts of a frame that differ by a few bytes get one length`() {
        let lengths = Set((1089...1104).map { pad($0, room: 16).count })
        #expect(lengths == [1104])
    }

    @Test func `the last byte of the padding is its length, and nothing behind the room is touched`() {
        let (padding, bytes, count) = pad(1000, room: 10)
        #expect(padding == 8 && count == 1008)
        #expect(Array(bytes[1000..<1008]) == [0, 0, 0, 0, 0, 0, 0, 8])
        #expect(bytes[1008...].allSatisfy { $0 == 0xEE })
    }

    @Test func `no packet of up to 1,200 bytes gets longer than that, and no longer one gets longer`() {
        for length in 256...1500 {
            let padded = pad(length - 32, room: 16).count + 32
            #expect(padded == (length <= 1200 ? (length + 15) / 16 * 16 : length))
        }
    }

    @Test func `without room, for a short packet and for a fitting one nothing changes`() {
        #expect(pad(1000, room: 7).padding == 0)
        #expect(pad(120, room: 16).padding == 0)
        #expect(pad(1008, room: 16).padding == 0)
    }
}
