import Testing

@testable import RoundhouseMedia

private func ms(_ milliseconds: Int) -> MediaInstant {
    MediaInstant(nanoseconds: 1_000_000_000) + .milliseconds(milliseconds)
}

/// A generator and a buffer to poll it with.
private struct Bench: ~Copyable {
    var generator = NACKGenerator()
    private let buffer: UnsafeMutableBufferPointer<UInt16>

    init(room: Int = 2000) { buffer = .allocate(capacity: room) }
    deinit { buffer.deallocate() }

    mutating func receive(
        _ extended: Int, keyFrame: Bool = false, recovered: Bool = false, at milliseconds: Int = 0
    ) -> NACKGenerator.Action {
        generator.packetReceived(
            extended: UInt64(extended), isKeyFrame: keyFrame, isRecovered: recovered, at: ms(milliseconds))
    }

    mutating func poll(at milliseconds: Int) -> [Int] {
        let count = generator.pollRequest(at: ms(milliseconds), into: buffer)
        return buffer[..<count].map { Int($0) }
    }
}

@Suite("NACKGenerator")
struct NACKGeneratorTests {
    @Test func `nothing is asked for if nothing is missing`() {
        var bench = Bench()
        for number in 100..<200 { _ = bench.receive(number) }
        let requests = bench.poll(at: 1000)
        #expect(requests.isEmpty)
        #expect(bench.generator.nextDeadline == nil)
    }

    @Test func `missing packets are asked for 10 ms after the gap showed, each once`() {
        var bench = Bench()
        _ = bench.receive(100)
        _ = bench.receive(104)
        #expect(bench.generator.nextDeadline == ms(10))
        let early = bench.poll(at: 9)
        let due = bench.poll(at: 10)
        let again = bench.poll(at: 10)
        #expect(early == [])
        #expect(due == [101, 102, 103])
        #expect(again == [])
    }

    @Test func `numbers wrap on the wire`() {
        var bench = Bench()
        _ = bench.receive(0x1_FFFE)
        _ = bench.receive(0x2_0002)
        let due = bench.poll(at: 10)
        #expect(due == [65535, 0, 1])
    }

    @Test func `a packet that comes late is not asked for`() {
        var bench = Bench()
        _ = bench.receive(100)
        _ = bench.receive(104)
        _ = bench.receive(102, at: 5)
        let due = bench.poll(at: 10)
        #expect(due == [101, 103])
        _ = bench.receive(101, at: 11)
        _ = bench.receive(103, recovered: true, at: 12)
        #expect(bench.generator.count == 0)
        #expect(bench.generator.nextDeadline == nil)
    }

    @Test func `a request is repeated every round trip, ten times in all`() {
        var bench = Bench()
        bench.generator.roundTripTime = .milliseconds(60)
        _ = bench.receive(100)
        _ = bench.receive(102)
        var times: [Int] = []
        for time in 0..<2000 where !bench.poll(at: time).isEmpty { times.append(time) }
        #expect(times == (0..<10).map { 10 + $0 * 60 })
        #expect(bench.generator.count == 0)
        #expect(bench.generator.abandoned == 1)
    }

    @Test func `the timer keeps 40 ms between requests even when the round trip is shorter`() {
        var bench = Bench()
        bench.generator.roundTripTime = .milliseconds(5)
        _ = bench.receive(100)
        _ = bench.receive(102)
        _ = bench.poll(at: 10)
        #expect(bench.generator.nextDeadline == ms(50))
    }

    @Test func `a packet recovered ahead of media is not asked for later`() {
        var bench = Bench()
        _ = bench.receive(100)
        _ = bench.receive(103, recovered: true)
        _ = bench.receive(105)
        let due = bench.poll(at: 10)
        #expect(due == [101, 102, 104])
    }

    @Test func `more than 1000 missing packets clear the list and ask for a key frame`() {
        var bench = Bench()
        _ = bench.receive(100)
        let fits = bench.receive(1101)
        #expect(fits == .none)
        #expect(bench.generator.count == 1000)
        let overflows = bench.receive(1103)
        #expect(overflows == .requestKeyFrame)
        #expect(bench.generator.count == 0)
        let after = bench.receive(1105)
        let due = bench.poll(at: 10)
        #expect(after == .none)
        #expect(due == [1104])
    }

    @Test func `on overflow, packets before a received key frame are given up first`() {
        var bench = Bench()
        _ = bench.receive(100)
        _ = bench.receive(700)
        _ = bench.receive(701, keyFrame: true)
        let action = bench.receive(1300)
        #expect(action == .none)
        #expect(bench.generator.count == 598)
        let due = bench.poll(at: 10)
        #expect(due.first == 702)
        #expect(due.last == 1299)
    }

    @Test func `entries more than 10000 numbers old are given up`() {
        var bench = Bench()
        _ = bench.receive(100)
        _ = bench.receive(102)
        for number in 103...10_101 { _ = bench.receive(number) }
        #expect(bench.generator.count == 1)
        _ = bench.receive(10_103)
        #expect(bench.generator.count == 1)
        let due = bench.poll(at: 10)
        #expect(due == [10_102])
    }

    @Test func `a small buffer gets the rest at the next poll`() {
        var bench = Bench(room: 3)
        _ = bench.receive(100)
        _ = bench.receive(106)
        let first = bench.poll(at: 10)
        let second = bench.poll(at: 10)
        let third = bench.poll(at: 10)
        #expect(first == [101, 102, 103])
        #expect(second == [104, 105])
        #expect(third == [])
    }

    @Test func `after a reset the next packet is a first one`() {
        var bench = Bench()
        _ = bench.receive(100)
        _ = bench.receive(110)
        bench.generator.reset()
        _ = bench.receive(500)
        let due = bench.poll(at: 10)
        #expect(due == [])
    }

    @Test func `a long lossy stream agrees with a plain model of what is missing`() {
        var bench = Bench()
        bench.generator.roundTripTime = .milliseconds(30)
        var missing: Set<Int> = []
        var asked: [Int: Int] = [:]
        var state: UInt64 = 42
        func random() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        var number = 70_000
        _ = bench.receive(number)
        for time in 0..<20_000 {
            number += 1
            if random() % 10 == 0 {
                missing.insert(number)
            } else {
                let action = bench.receive(number, at: time)
                #expect(action == .none)
            }
            for request in bench.poll(at: time) {
                let extended = number - Int(UInt16(truncatingIfNeeded: number) &- UInt16(request))
                #expect(missing.contains(extended))
                asked[extended, default: 0] += 1
                if random() % 2 == 0 {
                    missing.remove(extended)
                    _ = bench.receive(extended, recovered: true, at: time)
                } else if asked[extended] == 10 {
                    missing.remove(extended)
                }
            }
        }
        #expect(asked.count > 1800)
        #expect(asked.values.allSatisfy { $0 <= 10 })
        let known = missing.filter { $0 < number }
        #expect(abs(bench.generator.count - known.count) <= 1)
    }
}
