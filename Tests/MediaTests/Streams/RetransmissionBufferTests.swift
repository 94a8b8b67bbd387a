import Testing

@testable import RoundhouseMedia

private func ms(_ milliseconds: Int) -> MediaInstant {
    MediaInstant(nanoseconds: 1_000_000_000) + .milliseconds(milliseconds)
}

private func store(_ buffer: inout RetransmissionBuffer, _ number: UInt64, length: Int = 200, at time: Int = 0) -> Bool
{
    let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: length)
    return bytes.withUnsafeBytes {
        buffer.store(extended: number, bytes: $0, timestamp: UInt32(number) * 10, at: ms(time))
    }
}

/// The stored packet's length if its content is right, −1 if it is wrong, `nil` if it is not there.
private func found(_ buffer: borrowing RetransmissionBuffer, _ number: UInt64, at time: Int = 0) -> Int? {
    guard let packet = buffer.find(extended: number, at: ms(time)) else { return nil }
    let isRight =
        packet.extended == number && packet.timestamp == UInt32(number) * 10
        && packet.bytes.allSatisfy { $0 == UInt8(truncatingIfNeeded: number) }
    return isRight ? packet.bytes.count : -1
}

@Suite("RetransmissionBuffer")
struct RetransmissionBufferTests {
    @Test func `a stored packet is found with its bytes and data, others are not`() {
        var buffer = RetransmissionBuffer(window: RetransmissionBuffer.videoWindow)
        let stored = store(&buffer, 65_537, length: 1500)
        let present = found(buffer, 65_537)
        let before = found(buffer, 65_536)
        let after = found(buffer, 65_538)
        #expect(stored)
        #expect(present == 1500)
        #expect(before == nil)
        #expect(after == nil)
    }

    @Test func `an empty buffer holds no memory and finds nothing`() {
        let buffer = RetransmissionBuffer(window: RetransmissionBuffer.videoWindow)
        let nothing = found(buffer, 0)
        #expect(nothing == nil)
        #expect(buffer.allocatedBytes == 0)
    }

    @Test func `packets above a datagram's length are not stored`() {
        var buffer = RetransmissionBuffer(window: RetransmissionBuffer.videoWindow)
        let stored = store(&buffer, 10, length: RetransmissionBuffer.maxPacketLength + 1)
        #expect(!stored)
        #expect(buffer.storedCount == 0)
    }

    @Test func `a second of speech takes less than thirty kilobytes, and a longer packet is stored too`() {
        var buffer = RetransmissionBuffer(window: RetransmissionBuffer.audioWindow)
        for number: UInt64 in 0..<200 { _ = store(&buffer, number, length: 240, at: Int(number) * 20) }
        let length = found(buffer, 180, at: 4000)
        #expect(length == 240)
        #expect(buffer.allocatedBytes < 30_000)
        let stored = store(&buffer, 200, length: 1200, at: 4000)
        let long = found(buffer, 200, at: 4000)
        #expect(stored && long == 1200)
        // What was kept in short slots is gone, once.
        let earlier = found(buffer, 199, at: 4000)
        #expect(earlier == nil)
        _ = store(&buffer, 201, length: 240, at: 4020)
        let both = [found(buffer, 200, at: 4020), found(buffer, 201, at: 4020)]
        #expect(both == [1200, 240])
        buffer.removeExpired(at: ms(10_000))
        #expect(buffer.allocatedBytes == 0)
        _ = store(&buffer, 202, length: 100, at: 10_000)
        #expect(buffer.allocatedBytes < 8_000)
    }

    @Test func `a number is stored once`() {
        var buffer = RetransmissionBuffer(window: RetransmissionBuffer.videoWindow)
        _ = store(&buffer, 10, length: 100)
        let again = store(&buffer, 10, length: 200)
        let length = found(buffer, 10)
        #expect(!again)
        #expect(length == 100)
    }

    @Test func `blanks stay blank, and late packets fill them in any order`() {
        var buffer = RetransmissionBuffer(window: RetransmissionBuffer.videoWindow)
        for number: UInt64 in [100, 105, 103, 101, 99, 90] { _ = store(&buffer, number) }
        for number: UInt64 in [90, 99, 100, 101, 103, 105] {
            let length = found(buffer, number)
            #expect(length == 200)
        }
        for number: UInt64 in [89, 91, 98, 102, 104, 106] {
            let length = found(buffer, number)
            #expect(length == nil)
        }
    }

    @Test func `a packet older than the window is gone, even before it is removed`() {
        var buffer = RetransmissionBuffer(window: RetransmissionBuffer.audioWindow)
        _ = store(&buffer, 10, at: 0)
        _ = store(&buffer, 11, at: 500)
        let atEnd = found(buffer, 10, at: 1000)
        let behind = found(buffer, 10, at: 1001)
        let younger = found(buffer, 11, at: 1001)
        #expect(atEnd == 200)
        #expect(behind == nil)
        #expect(younger == 200)
        buffer.removeExpired(at: ms(1001))
        #expect(buffer.storedCount == 1)
    }

    @Test func `at most 2500 numbers are kept, in 2512 slots`() {
        var buffer = RetransmissionBuffer(window: RetransmissionBuffer.videoWindow)
        for number: UInt64 in 0..<10_000 {
            let stored = store(&buffer, number)
            #expect(stored)
        }
        let oldest = found(buffer, 7500)
        let gone = found(buffer, 7499)
        #expect(oldest == 200)
        #expect(gone == nil)
        #expect(buffer.storedCount == 2500)
        #expect(buffer.allocatedBytes == 4096 * 16 + 157 * 16 * 1568)
    }

    @Test func `a packet more than 2500 numbers older than the newest is refused`() {
        var buffer = RetransmissionBuffer(window: RetransmissionBuffer.videoWindow)
        _ = store(&buffer, 10_000)
        let edge = store(&buffer, 7501)
        let beyond = store(&buffer, 7500)
        #expect(edge)
        #expect(!beyond)
    }

    @Test func `a jump beyond the capacity starts over`() {
        var buffer = RetransmissionBuffer(window: RetransmissionBuffer.videoWindow)
        for number: UInt64 in 0..<100 { _ = store(&buffer, number) }
        _ = store(&buffer, 1_000_000)
        let old = found(buffer, 99)
        let new = found(buffer, 1_000_000)
        #expect(old == nil)
        #expect(new == 200)
        #expect(buffer.storedCount == 1)
    }

    @Test func `steady use recycles its slots, and silence gives all memory back`() {
        var buffer = RetransmissionBuffer(window: RetransmissionBuffer.audioWindow)
        for number in 0..<200 { _ = store(&buffer, UInt64(number), at: number * 20) }
        let steady = buffer.allocatedBytes
        for number in 200..<5000 { _ = store(&buffer, UInt64(number), at: number * 20) }
        #expect(buffer.allocatedBytes == steady)
        // 51 packets of 20 ms in one second: four slabs of sixteen short slots, and an index of 64.
        #expect(steady == 64 * 16 + 4 * 16 * 384)
        buffer.removeExpired(at: ms(5000 * 20 + 2000))
        #expect(buffer.allocatedBytes == 0)
        let again = store(&buffer, 5000, at: 5000 * 20 + 2000)
        let present = found(buffer, 5000, at: 5000 * 20 + 2000)
        #expect(again)
        #expect(present == 200)
    }

    @Test func `removing everything leaves nothing to find`() {
        var buffer = RetransmissionBuffer(window: RetransmissionBuffer.videoWindow)
        for number: UInt64 in 0..<100 { _ = store(&buffer, number) }
        buffer.removeAll()
        let nothing = found(buffer, 50)
        #expect(nothing == nil)
        #expect(buffer.storedCount == 0)
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func `random storing agrees with a dictionary`(seed: UInt64) {
        var state = seed
        func random(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var buffer = RetransmissionBuffer(window: RetransmissionBuffer.audioWindow)
        var model: [UInt64: (time: Int, length: Int)] = [:]
        var newest: UInt64 = 100_000
        for time in 0..<5000 {
            newest += random(3)
            let number = random(8) == 0 ? newest - random(300) : newest
            let length = Int(random(1600))
            if store(&buffer, number, length: length, at: time) { model[number] = (time, length) }
            let asked = newest - random(400)
            let actual = found(buffer, asked, at: time)
            let expected = model[asked].flatMap { time - $0.time <= 1000 ? $0.length : nil }
            #expect(actual == expected)
        }
    }
}
