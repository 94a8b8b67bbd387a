import Testing

@testable import Media
@testable import TestSupport

@Suite("What consumers cost a publisher")
struct KeyFrameBudgetTests {
    @Test(arguments: [1, 2]) func `a crowd of 100 that joins within five seconds costs two key frames`(
        shards: Int
    ) throws {
        let world = try VirtualWorld(shards: shards)
        let publisher = try world.join()
        let viewers = try (0..<10).map { _ in try world.join() }
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video)
        try publisher.publish(track) { $0.keyFrameRequestDelay = .milliseconds(5000) }
        world.run(for: .seconds(1))
        let before = track.encodings[0].keyFramesSent
        var streams: [SubscribedStream] = []
        for number in 0..<100 {
            streams.append(try viewers[number % 10].subscribe(to: track))
            world.run(for: .milliseconds(50))
        }
        world.run(for: .seconds(2))
        #expect(track.encodings[0].keyFramesSent - before <= 2)
        for stream in streams {
            #expect(stream.firstPacketIsKeyFrame == true && stream.packets > 50)
            #expect(stream.faults == [])
        }
    }

    @Test func `consumers that wait at the same time share one request for each encoding`() throws {
        let world = try VirtualWorld(shards: 2)
        let publisher = try world.join()
        let viewers = try (0..<6).map { _ in try world.join() }
        #expect(world.connectAll())
        world.network.conditions = .delayed(.milliseconds(40))
        let track = publisher.peer.addTrack(
            .video, rids: ["l", "m", "h"], layered: LayeredVideo(temporalLayers: 3))
        try publisher.publish(track)
        world.run(for: .seconds(3))
        let before = track.encodings.map(\.keyFrameRequests)
        let streams = try viewers.map { try $0.subscribe(to: track) }
        world.run(for: .seconds(2))
        // What has been sent for a while is known: the highest is asked for at once, and the others not at all.
        let asked = zip(track.encodings, before).map { $0.keyFrameRequests - $1 }
        #expect(asked == [0, 0, 1])
        for (viewer, stream) in zip(viewers, streams) {
            #expect(stream.packets > 100)
            #expect(viewer.layers(of: stream).last == ConsumerLayers(spatial: 2, temporal: 2))
        }
    }

    @Test(arguments: [1, 2]) func `silence is left out on request, without a gap`(shards: Int) throws {
        let world = try VirtualWorld(shards: shards)
        let publisher = try world.join()
        let viewer = try world.join()
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.audio)
        track.sendsDTX = true
        try publisher.publish(track)
        let all = try viewer.subscribe(to: track)
        let some = try viewer.subscribe(to: track) { $0.ignoresDTX = true }
        world.run(for: .seconds(4))
        #expect(all.packets > 190)
        #expect(all.silences > 90)
        #expect(some.silences == 0)
        #expect((all.packets - all.silences - 1...all.packets - all.silences).contains(some.packets))
        for stream in [all, some] {
            #expect(stream.receive.statistics(at: world.now).packetsLost == 0)
            #expect(stream.faults == [])
        }
    }
}
