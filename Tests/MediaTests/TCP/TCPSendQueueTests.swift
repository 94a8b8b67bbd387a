import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("What waits for a TCP connection")
struct TCPSendQueueTests {
    private static let start = MediaInstant(nanoseconds: 1_000_000_000)

    private static func packet(_ length: Int, _ mark: UInt8) -> [UInt8] { [UInt8](repeating: mark, count: length) }

    /// What a connection would take that takes so many bytes.
    private static func take(_ count: Int, of queue: inout TCPSendQueue) -> [UInt8] {
        var space = [UInt8](repeating: 0, count: count)
        let staged = space.withUnsafeMutableBytes { queue.stage(into: $0) }
        queue.sent(staged)
        return Array(space[..<staged])
    }

    /// The packets of a stream.
    private static func packets(of stream: [UInt8]) throws -> [[UInt8]] {
        let output = VirtualStream(
            remote: IPAddressPort(ipv4: 1, port: 1), local: IPAddressPort(ipv4: 2, port: 2))
        return stream.withUnsafeBytes { output.write($0).packets }
    }

    @Test func `what is urgent goes first, and each kind keeps its order`() throws {
        var queue = TCPSendQueue()
        for (mark, kind) in [(1, TCPFrameKind.video), (2, .data), (3, .audio), (4, .control), (5, .video), (6, .audio)]
        {
            queue.append(Self.packet(20, UInt8(mark)), kind, at: Self.start)
        }
        let sent = try Self.packets(of: Self.take(1_000, of: &queue))
        #expect(sent.map(\.[0]) == [4, 3, 6, 2, 1, 5])
        #expect(queue.isEmpty)
    }

    @Test func `a packet that was cut goes on before anything else, wherever it was cut`() throws {
        for cut in 1..<88 {
            var queue = TCPSendQueue()
            queue.append(Self.packet(20, 1), .audio, at: Self.start)
            queue.append(Self.packet(20, 2), .video, at: Self.start)
            queue.append(Self.packet(40, 3), .video, at: Self.start)
            var stream = Self.take(cut, of: &queue)
            queue.append(Self.packet(30, 4), .control, at: Self.start)
            while !queue.isEmpty { stream += Self.take(7, of: &queue) }
            let packets = try Self.packets(of: stream)
            #expect(packets.map(\.count).sorted() == [20, 20, 30, 40])
            #expect(packets.map(\.[0]).filter { $0 != 4 } == [1, 2, 3])
        }
    }

    @Test func `what is too much is given up by whole packets: video, then sound, then data`() throws {
        var queue = TCPSendQueue()
        let each = 1_000
        let most = TCPSendQueue.capacity / (each + 2)
        for index in 0..<most {
            queue.append(Self.packet(each, UInt8(index)), index % 2 == 0 ? .video : .audio, at: Self.start)
        }
        #expect(queue.takeDropped()[TCPFrameKind.video.rawValue] == 0)
        for _ in 0..<most / 2 { queue.append(Self.packet(each, 200), .data, at: Self.start) }
        var dropped = queue.takeDropped()
        #expect(dropped[TCPFrameKind.video.rawValue] == most / 2)
        #expect(dropped[TCPFrameKind.audio.rawValue] == 0)
        // No video is left to make room, and none takes that of others.
        for _ in 0..<most { queue.append(Self.packet(each, 201), .video, at: Self.start) }
        dropped = queue.takeDropped()
        #expect(dropped[TCPFrameKind.audio.rawValue] == 0 && dropped[TCPFrameKind.data.rawValue] == 0)
        for _ in 0..<most { queue.append(Self.packet(each, 202), .data, at: Self.start) }
        dropped = queue.takeDropped()
        #expect(dropped[TCPFrameKind.audio.rawValue] > 0)
        // Newer data take the place of older ones in the end.
        #expect(dropped[TCPFrameKind.data.rawValue] > 0)
        #expect(queue.count <= TCPSendQueue.capacity)
        let packets = try Self.packets(of: Self.take(100_000, of: &queue))
        #expect(packets.allSatisfy { $0.count == each && $0.last == 202 })
    }

    @Test func `what keeps the call alive has room of its own, and no more`() {
        var queue = TCPSendQueue()
        for _ in 0..<200 { queue.append(Self.packet(1_000, 1), .audio, at: Self.start) }
        for _ in 0..<50 { queue.append(Self.packet(100, 2), .control, at: Self.start) }
        #expect(queue.takeDropped()[TCPFrameKind.control.rawValue] == 0)
        for _ in 0..<500 { queue.append(Self.packet(100, 3), .control, at: Self.start) }
        let dropped = queue.takeDropped()[TCPFrameKind.control.rawValue]
        #expect(dropped == 550 - TCPSendQueue.controlCapacity / 102)
        #expect(queue.count <= TCPSendQueue.capacity + TCPSendQueue.controlCapacity)
    }

    @Test func `what has waited for too long is given up, but for data and for what was cut`() throws {
        var queue = TCPSendQueue()
        queue.append(Self.packet(100, 1), .video, at: Self.start)
        queue.append(Self.packet(100, 2), .video, at: Self.start)
        var stream = Self.take(50, of: &queue)
        queue.append(Self.packet(100, 3), .audio, at: Self.start)
        queue.append(Self.packet(100, 4), .data, at: Self.start)
        queue.dropStale(at: Self.start + .milliseconds(200))
        #expect(queue.takeDropped()[TCPFrameKind.video.rawValue] == 0)
        queue.dropStale(at: Self.start + .milliseconds(201))
        #expect(queue.takeDropped()[TCPFrameKind.video.rawValue] == 1)
        queue.dropStale(at: Self.start + .milliseconds(501))
        #expect(queue.takeDropped()[TCPFrameKind.audio.rawValue] == 1)
        queue.dropStale(at: Self.start + .seconds(60))
        stream += Self.take(1_000, of: &queue)
        #expect(try Self.packets(of: stream).map(\.[0]) == [1, 4])
    }

    @Test func `anything that happens to it leaves whole packets in order, and nothing beyond its bounds`() throws {
        var random = SplitMix(seed: 4571)
        for _ in 0..<50 {
            var queue = TCPSendQueue()
            var stream: [UInt8] = []
            var now = Self.start
            var numbers = [UInt8](repeating: 0, count: 4)
            for _ in 0..<400 {
                switch random.next() % 4 {
                case 0, 1:
                    let kind = TCPFrameKind.allCases[Int(random.next() % 4)]
                    numbers[kind.rawValue] &+= 1
                    let length = 13 + Int(random.next() % 1_400)
                    queue.append(
                        [UInt8(kind.rawValue), numbers[kind.rawValue]] + Self.packet(length, 9), kind, at: now)
                case 2: stream += Self.take(Int(random.next() % 3_000), of: &queue)
                default:
                    now = now + .milliseconds(Int(random.next() % 40))
                    queue.dropStale(at: now)
                }
                #expect(queue.count <= TCPSendQueue.capacity + TCPSendQueue.controlCapacity + TCPFrameReader.longest)
            }
            stream += Self.take(200_000, of: &queue)
            var last: [UInt8: UInt8] = [:]
            for packet in try Self.packets(of: stream) {
                if let before = last[packet[0]] { #expect(packet[1] &- before < 128 && packet[1] != before) }
                last[packet[0]] = packet[1]
            }
            #expect(queue.isEmpty)
        }
    }

    @Test func `what a connection carries is measured while more waits, and only then`() {
        var drain = TCPDrain()
        var now = Self.start
        #expect(drain.sent(50_000, waiting: 0, at: now) == nil)
        // 12,500 bytes in each 100 ms: 1 Mbit/s.
        var rates: [UInt64] = []
        for _ in 0..<20 {
            if let rate = drain.sent(12_500, waiting: 1_000, at: now) { rates.append(rate) }
            now = now + .milliseconds(100)
        }
        #expect(rates.count == 4 && rates.allSatisfy { $0 == 1_000_000 }, "\(rates)")
        // A burst that has gone out soon says nothing.
        #expect(drain.sent(1_000, waiting: 0, at: now) == nil)
        #expect(drain.sent(1_000, waiting: 1, at: now) == nil)
        #expect(drain.sent(1_000, waiting: 1, at: now + .milliseconds(399)) == nil)
        #expect(drain.sent(1_000, waiting: 0, at: now + .milliseconds(400)) == nil)
        // Nor does what is carried again after a stall.
        #expect(drain.sent(0, waiting: 1, at: now + .seconds(1)) == nil)
        #expect(drain.sent(0, waiting: 1, at: now + .milliseconds(1_400)) == 0)
    }
}
