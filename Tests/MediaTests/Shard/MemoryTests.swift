import Testing

@testable import RoundhouseMedia
@testable import TestSupport

/// In processes of their own, because other tests allocate too.
@Suite("Memory", .serialized)
struct MemoryTests {
    private static let isMeasurable = AllocatedMemory.bytesInUse() != nil
    private static let reason: Comment = "only glibc's allocator says what is in use, not a sanitizer's"

    /// One round: rooms of four join, talk and leave.
    private static func round(_ world: VirtualWorld, rooms: Int) throws {
        for _ in 0..<rooms {
            let members = try (0..<4).map { _ in try world.join() }
            for member in members {
                try member.publish(member.peer.addTrack(.audio))
                try member.publish(member.peer.addTrack(.video))
            }
            for member in members {
                for other in members where other !== member {
                    for track in other.peer.tracks { _ = try member.subscribe(to: track) }
                }
            }
        }
        world.connectAll()
        world.run(for: .milliseconds(100))
        world.removeAll()
        world.run(for: .milliseconds(50))
        world.network.clear()
    }

    @Test(.enabled(if: MemoryTests.isMeasurable, MemoryTests.reason), .timeLimit(.minutes(15)))
    func `a thousand rooms come and go, and their memory with them`() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            try MemoryTests.joinAndLeave()
        }
        show(result)
    }

    @Test(.enabled(if: MemoryTests.isMeasurable, MemoryTests.reason))
    func `what a transport and a consumer cost`() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            try MemoryTests.measureObjects()
        }
        show(result)
    }

    private func show(_ result: ExitTest.Result?) {
        let lines = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self).split(separator: "\n")
        for line in lines where line.hasPrefix("memory:") { print(line) }
    }

    private static func joinAndLeave() throws {
        let world = try VirtualWorld(shards: 2)
        world.quantum = .milliseconds(5)
        // Tables and buffers grow to the size of a full house first; what lies where in a table is chance, so that some
        // grow until the fifteenth round, and few after that.
        for _ in 0..<16 { try round(world, rooms: 50) }
        // What measuring itself needs, once.
        _ = try #require(AllocatedMemory.bytesInUse())
        let before = try #require(AllocatedMemory.bytesInUse())
        for _ in 0..<4 { try round(world, rooms: 50) }
        let after = try #require(AllocatedMemory.bytesInUse())
        for shard in 0..<2 { #expect(world.server.withShard(shard) { ShardContents($0) } == ShardContents()) }
        let grown = after - before
        print("memory: \(before) bytes in use before, \(after) after four rounds of 200 transports")
        // 800 transports with 4,800 consumers came and went: not a block of each may stay, of which the least has 24 bytes.
        #expect(grown < 8_000, "\(grown) bytes more than before")
    }

    private static func measureObjects() throws {
        let world = try VirtualWorld()
        let publisher = try world.join()
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video)
        try publisher.publish(track)
        world.run(for: .milliseconds(100))
        let queue = EventQueue {}
        var random = SplitMix(seed: 1)
        func measure(_ what: String, _ body: () throws -> Void) throws -> Int {
            let before = AllocatedMemory.bytesInUse() ?? 0
            try body()
            track.isSending = false
            world.run(for: .milliseconds(1))
            let each = ((AllocatedMemory.bytesInUse() ?? 0) - before) / 1000
            print("memory: \(each) bytes per \(what)")
            return each
        }
        var keys: [TransportKey] = []
        keys.reserveCapacity(1000)
        let perTransport = try measure("transport before its handshake") {
            for _ in 0..<1000 {
                let settings = TransportSettings(iceCredentials: .random(using: &random))
                keys.append(try world.server.handle.openTransport(settings, events: queue))
            }
        }
        let producerSettings = ClientCodecs.producerSettings(of: track)
        let perConsumer = try measure("consumer") {
            for (index, key) in keys.enumerated() {
                let settings = ClientCodecs.consumerSettings(
                    of: producerSettings, ssrc: SSRC(UInt32(2 * index + 1)), rtxSSRC: SSRC(UInt32(2 * index + 2)),
                    mid: "0")
                _ = try world.server.handle.openConsumer(settings, of: try #require(track.producer), on: key)
            }
        }
        // A connected transport: what is given back when it closes, its peer staying.
        let members = try (0..<200).map { _ in try world.join() }
        #expect(world.connectAll())
        world.run(for: .milliseconds(10))
        let connected = AllocatedMemory.bytesInUse() ?? 0
        for member in members { member.leave() }
        for member in members { member.peer.sendsChecks = false }
        world.run(for: .milliseconds(1))
        let perConnected = (connected - (AllocatedMemory.bytesInUse() ?? 0)) / 200
        print("memory: \(perConnected) bytes per connected transport")
        #expect(perConnected < 60_000)
        #expect(perTransport < 40_000)
        #expect(perConsumer < 6_000)
    }
}
