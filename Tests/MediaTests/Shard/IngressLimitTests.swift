import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("What a publisher may send")
struct IngressLimitTests {
    @Test func `a bucket takes its rate, a second of it at once, and no more`() {
        let rate = IngressRate(megabits: 10)
        var bucket = IngressBucket()
        var now = MediaInstant(nanoseconds: 1_000_000_000_000)
        func flood(_ bytes: Int) -> Int { (0..<100_000).count { _ in bucket.take(bytes, rate, at: now) } }
        // 1.25 MB, and the packet that goes beyond it.
        #expect((1250...1251).contains(flood(1000)))
        #expect(flood(1000) == 0)
        now = now + .milliseconds(100)
        #expect((124...126).contains(flood(1000)))
        // Short packets count for 625 bytes: 2,000 a second.
        now = now + .seconds(10)
        #expect((2000...2001).contains(flood(1)))
        now = now + .milliseconds(100)
        #expect((199...201).contains(flood(40)))
        // At the rate everything is taken, however long.
        now = now + .seconds(2)
        for _ in 0..<10_000 {
            now = now + .microseconds(1000)
            let isTaken = bucket.take(1250, rate, at: now)
            #expect(isTaken)
        }
    }

    /// - Parameter frames: by which the publisher sends so many packets of 1,000 bytes 30 times a second.
    private func call(
        _ limits: IngressLimits, packetsPerFrame: Int, tracks: Int = 1
    ) throws -> (VirtualWorld, [SubscribedStream]) {
        let world = try VirtualWorld(shards: 2, limits: limits)
        let publisher = try world.join()
        let viewer = try world.join()
        #expect(world.connectAll())
        var streams: [SubscribedStream] = []
        for _ in 0..<tracks {
            let track = publisher.peer.addTrack(.video)
            track.video.packetsPerFrame = packetsPerFrame
            track.video.packetSize = 1000
            try publisher.publish(track)
            streams.append(try viewer.subscribe(to: track))
        }
        world.run(for: .seconds(5))
        for stream in streams { stream.reset() }
        return (world, streams)
    }

    @Test func `of a producer that sends too much so much is forwarded as it may send, and others lose nothing`() throws
    {
        // 8 Mbit/s where 4 are allowed.
        let (world, streams) = try call(
            IngressLimits(megabitsPerProducer: 4, megabitsPerTransport: 100), packetsPerFrame: 33)
        let publisher = world.members[0]
        let other = publisher.peer.addTrack(.video)
        try publisher.publish(other)
        let small = try world.members[1].subscribe(to: other)
        world.run(for: .seconds(1))
        small.reset()
        streams[0].reset()
        let before = world.server.value(.producerRate)
        world.run(for: .seconds(4))
        #expect(world.server.value(.producerRate) > before + 1000)
        #expect(world.server.value(.transportRate) == 0)
        // Whose they were can be asked.
        let earlier = world.server.value(.producerRate)
        try publisher.collectStatistics()
        world.run(for: .milliseconds(100))
        let statistics = try #require(publisher.statistics)
        #expect(statistics.packetsOverLimit == 0 && statistics.producers.count == 2)
        #expect((earlier...world.server.value(.producerRate)).contains(statistics.producers[0].packetsOverLimit))
        #expect(statistics.producers[1].packetsOverLimit == 0)
        // 500 packets a second and their headers.
        #expect(streams[0].packets <= 2100)
        #expect(small.main?.ratio == 1 && small.packets > 200)
        #expect(small.faults == [])
    }

    @Test func `a transport's producers are bounded together`() throws {
        let (world, streams) = try call(
            IngressLimits(megabitsPerProducer: 100, megabitsPerTransport: 4), packetsPerFrame: 11, tracks: 3)
        world.run(for: .seconds(4))
        #expect(world.server.value(.transportRate) > 1000)
        #expect(world.server.value(.producerRate) == 0)
        let earlier = world.server.value(.transportRate)
        try world.members[0].collectStatistics()
        world.run(for: .milliseconds(100))
        let statistics = try #require(world.members[0].statistics)
        #expect((earlier...world.server.value(.transportRate)).contains(statistics.packetsOverLimit))
        #expect(statistics.producers.allSatisfy { $0.packetsOverLimit == 0 })
        #expect(streams.reduce(0) { $0 + $1.packets } <= 2100)
    }

    @Test func `the defaults take a publisher of thirty megabits whole`() throws {
        let (world, streams) = try call(IngressLimits(), packetsPerFrame: 125)
        world.run(for: .seconds(2))
        #expect(world.server.drops[.producerRate] == nil && world.server.drops[.transportRate] == nil)
        #expect(streams[0].main?.ratio == 1)
    }
}
