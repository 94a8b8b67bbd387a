import Testing

@testable import RoundhouseMedia

@Suite("EgressBatcher")
struct EgressBatcherTests {
    /// What came out: per message the destination's port and its pieces' lengths and first bytes.
    final class Recorder: DatagramOutput {
        struct Message: Equatable {
            var socket: Int
            var port: UInt16
            var segmentSize: Int
            var lengths: [Int]
            var marks: [UInt8]
        }
        var messages: [Message] = []
        var batches: [Int] = []
        var refuses = 0

        func send(_ list: UnsafePointer<OutgoingMessage>, count: Int, from socket: Int) -> Int {
            batches.append(count)
            for index in 0..<count {
                messages.append(
                    Message(
                        socket: socket, port: list[index].destination.port,
                        segmentSize: list[index].segmentSize, lengths: list[index].datagrams.map(\.count),
                        marks: list[index].datagrams.map { $0.load(as: UInt8.self) }))
            }
            return refuses
        }

        func listen(on socket: AttachedSocket) -> Int? { nil }
        func attach(_ socket: AttachedSocket) -> Int? { nil }
        func detach(_ socket: Int) {}
        func write(_ bytes: UnsafeRawBufferPointer, to connection: Int) -> Int? { nil }
        func releaseConnection(_: Int) -> Int32? { nil }
        func keepConnection(_: Int32, as _: Int) -> Bool { false }
        func closeConnection(_ connection: Int) {}
    }

    private func address(_ port: UInt16) -> IPAddressPort { IPAddressPort(ipv4: 0x7F00_0001, port: port) }

    private func put(
        _ length: Int, mark: UInt8 = 0, to destination: EgressBatcher.DestinationIndex, in arena: inout EgressBatcher
    ) {
        arena.next.initializeMemory(as: UInt8.self, repeating: mark, count: length)
        arena.commit(length: length, to: destination)
    }

    @Test func `datagrams that a 1,500-byte path cannot carry whole leave one by one and are counted`() {
        var arena = EgressBatcher(segments: true)
        let output = Recorder()
        let four = arena.addDestination(address(4), socket: 0)
        for length in [1472, 1472, 1473, 1473, 1472] { put(length, to: four, in: &arena) }
        let six = arena.addDestination(
            IPAddressPort(ipv6High: 0x2001_0DB8_0000_0000, low: 1, port: 6), socket: 0)
        for length in [1453, 1453, 1452, 1452] { put(length, to: six, in: &arena) }
        let outcome = arena.flush(through: output, sockets: 1)
        #expect(
            output.messages.map(\.lengths)
                == [[1472, 1472], [1473], [1473], [1472], [1453], [1453], [1452, 1452]])
        #expect(outcome.aboveMTU == 4 && outcome.messages == 7)
    }

    @Test func `equal datagrams for one destination leave as one message`() {
        var arena = EgressBatcher(segments: true)
        let output = Recorder()
        let destination = arena.addDestination(address(1), socket: 0)
        for mark in 0..<5 { put(1000, mark: UInt8(mark), to: destination, in: &arena) }
        let refused = arena.flush(through: output, sockets: 1).refused
        #expect(refused == 0)
        #expect(output.messages.map(\.lengths) == [[1000, 1000, 1000, 1000, 1000]])
        #expect(output.messages.first?.marks == [0, 1, 2, 3, 4])
        #expect(output.messages.first?.segmentSize == 1000)
        let isEmpty = arena.isEmpty
        #expect(isEmpty)
    }

    @Test func `packets of several streams leave by size, those of one stream in their order`() {
        var arena = EgressBatcher(segments: true)
        let output = Recorder()
        let destination = arena.addDestination(address(1), socket: 0)
        for (mark, (length, stream)) in [(100, 1), (120, 2), (90, 2), (120, 3), (110, 1), (120, 4)].enumerated() {
            arena.next.initializeMemory(as: UInt8.self, repeating: UInt8(mark), count: length)
            arena.commit(length: length, to: destination, stream: UInt32(stream))
        }
        let outcome = arena.flush(through: output, sockets: 1)
        let sent = output.messages.flatMap(\.marks)
        #expect(sent.sorted() == [0, 1, 2, 3, 4, 5])
        #expect(sent.firstIndex(of: 0)! < sent.firstIndex(of: 4)!, "stream 1 keeps its order")
        #expect(sent.firstIndex(of: 1)! < sent.firstIndex(of: 2)!, "stream 2 keeps its order")
        #expect(output.messages.map(\.lengths) == [[120, 120, 120, 100], [110, 90]])
        #expect(outcome.messages == output.messages.count && outcome.messages < 6)
    }

    @Test func `a shorter datagram closes a run, a longer one begins the next`() {
        var arena = EgressBatcher(segments: true)
        let output = Recorder()
        let destination = arena.addDestination(address(1), socket: 0)
        for length in [500, 500, 200, 200, 300, 300, 100] { put(length, to: destination, in: &arena) }
        _ = arena.flush(through: output, sockets: 1)
        #expect(output.messages.map(\.lengths) == [[500, 500, 200], [200], [300, 300, 100]])
    }

    @Test func `a message has at most 64 segments`() {
        var arena = EgressBatcher(segments: true)
        let output = Recorder()
        let destination = arena.addDestination(address(1), socket: 0)
        for _ in 0..<150 { put(100, to: destination, in: &arena) }
        _ = arena.flush(through: output, sockets: 1)
        #expect(output.messages.map(\.lengths.count) == [64, 64, 22])
    }

    @Test func `a message carries at most 65,000 bytes`() {
        var arena = EgressBatcher(segments: true)
        let output = Recorder()
        let destination = arena.addDestination(address(1), socket: 0)
        for _ in 0..<60 { put(1300, to: destination, in: &arena) }
        _ = arena.flush(through: output, sockets: 1)
        #expect(output.messages.map(\.lengths.count) == [50, 10])
        #expect(output.messages.allSatisfy { $0.lengths.reduce(0, +) <= EgressBatcher.largestMessage })
    }

    @Test func `without segmentation every datagram is a message`() {
        var arena = EgressBatcher(segments: false)
        let output = Recorder()
        let destination = arena.addDestination(address(1), socket: 0)
        for _ in 0..<3 { put(100, to: destination, in: &arena) }
        _ = arena.flush(through: output, sockets: 1)
        #expect(output.messages.map(\.lengths) == [[100], [100], [100]])
    }

    @Test func `destinations and sockets are kept apart, each in its order`() {
        var arena = EgressBatcher(segments: true)
        let output = Recorder()
        let first = arena.addDestination(address(1), socket: 0)
        let second = arena.addDestination(address(2), socket: 1)
        let third = arena.addDestination(address(3), socket: 0)
        for mark in 0..<3 {
            put(100, mark: UInt8(mark), to: first, in: &arena)
            put(100, mark: UInt8(10 + mark), to: second, in: &arena)
            put(100, mark: UInt8(20 + mark), to: third, in: &arena)
        }
        _ = arena.flush(through: output, sockets: 2)
        #expect(output.messages.map(\.socket) == [0, 0, 1])
        #expect(output.messages.map(\.port) == [1, 3, 2])
        #expect(output.messages.map(\.marks) == [[0, 1, 2], [20, 21, 22], [10, 11, 12]])
    }

    @Test func `a full arena has no room until it is flushed, and nothing is lost`() {
        var arena = EgressBatcher(segments: true)
        let output = Recorder()
        var destination = arena.addDestination(address(1), socket: 0)
        var count = 0
        while arena.hasCapacity {
            put(1200, to: destination, in: &arena)
            count += 1
        }
        #expect(count > 3000)
        _ = arena.flush(through: output, sockets: 1)
        #expect(output.messages.reduce(0) { $0 + $1.lengths.count } == count)
        #expect(output.batches.allSatisfy { $0 <= EgressBatcher.batchCapacity })
        let hasCapacity = arena.hasCapacity
        #expect(hasCapacity)
        let wasCurrent = arena.isCurrent(destination)
        #expect(!wasCurrent)
        destination = arena.addDestination(address(1), socket: 0)
        let isCurrent = arena.isCurrent(destination)
        #expect(isCurrent)
    }

    @Test func `destinations without datagrams fill the arena too`() {
        var arena = EgressBatcher(segments: true)
        var count = 0
        while arena.hasCapacity {
            _ = arena.addDestination(address(1), socket: 0)
            count += 1
        }
        #expect(count == EgressBatcher.entryCapacity)
        let output = Recorder()
        _ = arena.flush(through: output, sockets: 1)
        #expect(output.messages == [])
        let hasCapacity = arena.hasCapacity
        #expect(hasCapacity)
    }

    @Test func `what the output refuses is summed up`() {
        var arena = EgressBatcher(segments: false)
        let output = Recorder()
        output.refuses = 2
        let destination = arena.addDestination(address(1), socket: 0)
        for _ in 0..<100 { put(100, to: destination, in: &arena) }
        let refused = arena.flush(through: output, sockets: 1).refused
        #expect(refused == 4)
        #expect(output.batches == [64, 36])
    }

    @Test func `no index is current that was never given out`() {
        let arena = EgressBatcher(segments: true)
        let isCurrent = arena.isCurrent(.none)
        #expect(!isCurrent)
    }
}
