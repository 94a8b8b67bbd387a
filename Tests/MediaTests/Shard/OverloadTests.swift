import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("More than a shard can take")
struct OverloadTests {
    @Test func `a full ring drops packets, counts them, and the call goes on`() throws {
        let (world, _, _, track, stream) = try makeCall(shards: 2)
        world.run(for: .seconds(1))
        // Four seconds of a fat stream arrive in one tick.
        track.video.packetsPerFrame = 10
        track.video.packetSize = 1100
        let peer = world.members[0].peer
        for _ in 0..<120 { peer.sendFrame(of: track) }
        world.run(for: .milliseconds(50))
        #expect(world.server.value(.ringFull) > 100)
        track.video.packetsPerFrame = 3
        world.run(for: .seconds(3))
        stream.reset()
        world.run(for: .seconds(1))
        #expect(stream.main?.ratio == 1)
        #expect(stream.packets > 50)
        #expect(stream.faults == [])
    }

    @Test func `a full command queue refuses with an error, and closing commands still pass`() throws {
        let queue = MPSCQueue<MediaCommand>(capacity: 64, reserve: 16)
        let handle = MediaHandle(
            endpoints: EndpointTable([ShardEndpoint(addresses: [])]), fingerprints: [], serial: KeySerial(shards: 1)
        ) { _, command in
            let isClosing = if case .closeTransport = command { true } else { false }
            return queue.push(command, urgent: isClosing) != .full
        }
        var random = SplitMix(seed: 1)
        var keys: [TransportKey] = []
        let events = EventQueue {}
        let error = #expect(throws: MediaError.self) {
            for _ in 0..<100 {
                keys.append(
                    try handle.openTransport(
                        TransportSettings(iceCredentials: .random(using: &random)), events: events))
            }
        }
        #expect(error?.code == .overloaded)
        #expect(keys.count == 48)
        for key in keys.prefix(16) { handle.closeTransport(key) }
        var closing = 0
        while let command = queue.pop() { if case .closeTransport = command { closing += 1 } }
        #expect(closing == 16)
    }

    @Test func `the same seed gives the same run`() throws {
        func run() throws -> [String] {
            var conditions = LinkConditions.lossy(0.05)
            conditions.jitter = .milliseconds(4)
            conditions.reorder = 0.02
            let world = try VirtualWorld(shards: 2, seed: 99)
            let publisher = try world.join()
            let viewer = try world.join()
            #expect(world.connectAll())
            world.run(for: .milliseconds(100))
            world.network.conditions = conditions
            let track = publisher.peer.addTrack(.video)
            try publisher.publish(track)
            let stream = try viewer.subscribe(to: track)
            world.run(for: .seconds(3))
            let counts = ShardCounter.allCases.filter { $0 != .bytesReceived && $0 != .bytesSent }
            return counts.map { "\($0) \(world.server.value($0))" }
                + ["\(world.server.drops.sorted { $0.key.rawValue < $1.key.rawValue })", "\(stream.packets)"]
        }
        #expect(try run() == run())
    }
}
