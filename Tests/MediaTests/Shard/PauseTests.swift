import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Pausing and resuming")
struct PauseTests {
    @Test(arguments: [1, 2]) func `a paused consumer gets nothing and resumes on a key frame`(shards: Int) throws {
        let (world, _, viewer, track, stream) = try makeCall(shards: shards)
        world.run(for: .seconds(1))
        let consumer = try #require(stream.consumer)
        try viewer.handle.setConsumerPaused(consumer, true)
        world.run(for: .milliseconds(50))
        let paused = stream.packets
        world.run(for: .seconds(3))
        #expect(stream.packets == paused)
        let requests = track.encodings[0].keyFrameRequests
        stream.reset()
        try viewer.handle.setConsumerPaused(consumer, false)
        world.run(for: .seconds(1))
        #expect(stream.packets > 50)
        #expect(stream.firstPacketIsKeyFrame == true)
        #expect(stream.splices == 1)
        #expect(stream.main?.ratio == 1)
        #expect((1...2).contains(track.encodings[0].keyFrameRequests - requests))
        #expect(stream.faults == [])
        #expect(viewer.peer.authenticationFailures == 0)
    }

    @Test(arguments: [1, 2]) func `a paused producer's packets are dropped and counted`(shards: Int) throws {
        let (world, publisher, viewer, track, stream) = try makeCall(shards: shards)
        world.run(for: .seconds(1))
        let producer = try #require(track.producer)
        let consumer = try #require(stream.consumer)
        try publisher.handle.setProducerPaused(producer, true)
        try viewer.handle.setConsumerProducerPaused(consumer, true)
        world.run(for: .milliseconds(50))
        let paused = stream.packets
        world.run(for: .seconds(2))
        #expect(stream.packets == paused)
        #expect(world.server.value(.producerPaused) > 100)
        stream.reset()
        try publisher.handle.setProducerPaused(producer, false)
        try viewer.handle.setConsumerProducerPaused(consumer, false)
        world.run(for: .seconds(1))
        #expect(stream.packets > 50)
        #expect(stream.firstPacketIsKeyFrame == true)
        #expect(stream.main?.ratio == 1)
        #expect(stream.faults == [])
        #expect(viewer.peer.authenticationFailures == 0)
    }

    /// More packets pass during the pause than the plausibility window holds.
    @Test(arguments: [true, false]) func `a long pause does not break the numbering`(tellsConsumer: Bool) throws {
        let (world, publisher, viewer, track, stream) = try makeCall(shards: 2)
        track.video.packetsPerFrame = 30
        track.video.packetSize = 60
        world.run(for: .seconds(1))
        let producer = try #require(track.producer)
        let consumer = try #require(stream.consumer)
        try publisher.handle.setProducerPaused(producer, true)
        if tellsConsumer { try viewer.handle.setConsumerProducerPaused(consumer, true) }
        world.run(for: .seconds(6))
        try publisher.handle.setProducerPaused(producer, false)
        if tellsConsumer { try viewer.handle.setConsumerProducerPaused(consumer, false) }
        world.run(for: .seconds(1))
        stream.reset()
        world.run(for: .seconds(2))
        #expect(stream.packets > 1500)
        #expect((stream.main?.ratio ?? 0) == 1)
        #expect(stream.splices == 0)
        #expect(stream.faults == [])
        #expect(viewer.peer.authenticationFailures == 0)
    }

    @Test func `a consumer opened paused starts when it is resumed`() throws {
        let world = try VirtualWorld()
        let publisher = try world.join()
        let viewer = try world.join()
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video)
        try publisher.publish(track)
        let stream = try viewer.subscribe(to: track, isPaused: true)
        world.run(for: .seconds(1))
        #expect(stream.packets == 0)
        #expect(track.encodings[0].keyFrameRequests == 0)
        try viewer.handle.setConsumerPaused(try #require(stream.consumer), false)
        world.run(for: .milliseconds(500))
        #expect(stream.packets > 20)
        #expect(stream.firstPacketIsKeyFrame == true)
    }
}

/// A connected publisher and viewer with one video track.
func makeCall(
    shards: Int, seed: UInt64 = 1, rids: [String] = []
) throws -> (VirtualWorld, VirtualMember, VirtualMember, PublishedTrack, SubscribedStream) {
    let world = try VirtualWorld(shards: shards, seed: seed)
    let publisher = try world.join()
    let viewer = try world.join()
    #expect(world.connectAll())
    let track = publisher.peer.addTrack(.video, rids: rids)
    try publisher.publish(track)
    let stream = try viewer.subscribe(to: track)
    return (world, publisher, viewer, track, stream)
}
