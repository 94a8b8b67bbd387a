import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("One publisher, many consumers")
struct FanOutTests {
    @Test(arguments: [1, 3]) func `a hundred consumers get every packet`(shards: Int) throws {
        let world = try VirtualWorld(shards: shards)
        let publisher = try world.join()
        let audience = try (0..<100).map { _ in try world.join() }
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video)
        track.video.packetSize = 200
        try publisher.publish(track)
        let streams = try audience.map { try $0.subscribe(to: track) }
        world.run(for: .seconds(1))
        let stream = track.encodings[0]
        for subscription in streams {
            #expect(subscription.faults == [])
            #expect(subscription.firstPacketIsKeyFrame == true)
            #expect(subscription.splices == 0)
            #expect(subscription.main?.ratio == 1)
            #expect(subscription.packets > 70)
        }
        // However many ask, the publisher hears it once or twice.
        #expect(stream.keyFrameRequests <= 2)
        #expect(world.server.value(.packetsForwarded) == UInt64(streams.reduce(0) { $0 + $1.packets }))
        // A frame's packets for one consumer share a message.
        #expect(world.server.segmentedMessages > 100)
    }

    @Test(arguments: [1, 2]) func `a late joiner starts on a key frame`(shards: Int) throws {
        let world = try VirtualWorld(shards: shards)
        let publisher = try world.join()
        let early = try world.join()
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video)
        try publisher.publish(track)
        let first = try early.subscribe(to: track)
        world.run(for: .seconds(2))
        let before = track.encodings[0].keyFrameRequests
        let late = try world.join()
        #expect(world.connectAll())
        let joined = world.now
        let second = try late.subscribe(to: track)
        #expect(world.run(atMost: .milliseconds(300)) { second.packets > 0 })
        #expect(world.now - joined < .milliseconds(100))
        world.run(for: .seconds(2))
        #expect(second.firstPacketIsKeyFrame == true)
        #expect(second.main?.ratio == 1)
        #expect(track.encodings[0].keyFrameRequests - before <= 1)
        #expect(first.main?.ratio == 1)
        #expect(first.splices == 0)
        #expect(first.faults + second.faults == [])
    }

    @Test(arguments: [1, 2]) func `a consumer may be there before its producer's first packet`(shards: Int) throws {
        let world = try VirtualWorld(shards: shards)
        let publisher = try world.join(connects: false)
        let viewer = try world.join()
        let track = publisher.peer.addTrack(.video)
        let audio = publisher.peer.addTrack(.audio)
        try publisher.publish(track)
        try publisher.publish(audio)
        let video = try viewer.subscribe(to: track)
        let sound = try viewer.subscribe(to: audio)
        world.run(for: .seconds(1))
        #expect(video.packets == 0)
        try publisher.connect()
        world.run(for: .seconds(2))
        #expect(video.main?.ratio == 1)
        #expect(video.firstPacketIsKeyFrame == true)
        #expect(sound.main?.ratio == 1)
        #expect(video.faults + sound.faults == [])
    }
}
