import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Sequence numbers over a long call")
struct NumberingTests {
    @Test(arguments: [1, 2]) func `numbers wrap and roll over without a lost packet`(shards: Int) throws {
        let world = try VirtualWorld(shards: shards)
        let publisher = try world.join()
        let viewer = try world.join()
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video, firstSequence: 64_000)
        track.video.framesPerSecond = 250
        track.video.packetsPerFrame = 40
        track.video.packetSize = 30
        try publisher.publish(track)
        let stream = try viewer.subscribe(to: track)
        world.run(for: .seconds(7))
        #expect(stream.packets > 66_000)
        #expect(stream.main?.ratio == 1)
        #expect(stream.splices == 0)
        #expect(stream.duplicates == 0)
        #expect(stream.faults == [])
        #expect(viewer.peer.authenticationFailures == 0)
        #expect(world.server.value(.srtpAuthentication) == 0)
    }

    @Test(arguments: [1, 2]) func `a publisher that restarts its numbers is followed`(shards: Int) throws {
        let (world, publisher, viewer, track, stream) = try makeCall(shards: shards)
        world.run(for: .seconds(1))
        let old = track.encodings[0]
        // Same SRTP context, far-away sequence numbers.
        old.index += 20_000
        world.run(for: .seconds(1))
        stream.reset()
        world.run(for: .seconds(2))
        #expect(stream.packets > 150)
        #expect(stream.main?.ratio == 1)
        #expect(stream.faults == [])
        #expect(viewer.peer.authenticationFailures == 0)
        #expect(publisher.peer.isConnected)
    }

    @Test func `a track's new SSRC takes over the producer it names by MID and RID`() throws {
        let (world, publisher, viewer, track, stream) = try makeCall(shards: 1, rids: ["h"])
        world.run(for: .seconds(1))
        #expect(stream.main?.ratio == 1)
        let again = PublishedTrack(
            kind: .video, mid: track.mid, cname: track.cname,
            encodings: [
                PublishedStream(ssrc: SSRC(4242), rtxSSRC: SSRC(4243), rid: "h", firstSequence: 9, timestamp: 0)
            ], usesRTX: true)
        publisher.peer.removeTrack(track)
        publisher.peer.add(again)
        stream.reset()
        world.run(for: .seconds(1))
        #expect(stream.delivered[4242]?.ratio == 1)
        #expect((stream.delivered[4242]?.count ?? 0) > 50)
        #expect(stream.faults == [])
        #expect(viewer.peer.authenticationFailures == 0)
    }

    @Test(arguments: [1, 2]) func `simulcast gives the highest active encoding, switched on key frames`(
        shards: Int
    ) throws {
        let (world, _, viewer, track, stream) = try makeCall(shards: shards, rids: ["l", "m", "h"])
        world.run(for: .seconds(3))
        stream.reset()
        world.run(for: .seconds(1))
        #expect(stream.delivered.keys.elementsEqual([track.encodings[2].contentStream]))
        #expect(stream.main?.ratio == 1)
        track.activeEncodings = 1
        world.run(for: .seconds(4))
        stream.reset()
        world.run(for: .seconds(1))
        #expect(stream.delivered.keys.elementsEqual([track.encodings[0].contentStream]))
        #expect(stream.main?.ratio == 1)
        #expect(stream.faults == [])
        #expect(viewer.peer.authenticationFailures == 0)
    }
}
