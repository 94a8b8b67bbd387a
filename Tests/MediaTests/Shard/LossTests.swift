import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("A bad network")
struct LossTests {
    struct Result {
        var world: VirtualWorld
        var publisher: VirtualMember
        var video: SubscribedStream
        var audio: SubscribedStream
        var track: PublishedTrack
    }

    /// Ten seconds under `conditions`, then time to repair the end.
    private func run(
        _ conditions: LinkConditions, shards: Int = 2, seed: UInt64 = 1, usesRTX: Bool = true
    ) throws -> Result {
        let world = try VirtualWorld(shards: shards, seed: seed)
        let publisher = try world.join()
        let viewer = try world.join()
        #expect(world.connectAll())
        world.network.conditions = conditions
        let track = publisher.peer.addTrack(.video)
        track.video.keyFrameInterval = 60
        let audioTrack = publisher.peer.addTrack(.audio)
        try publisher.publish(track)
        try publisher.publish(audioTrack)
        let video = try viewer.subscribe(to: track, usesRTX: usesRTX)
        let audio = try viewer.subscribe(to: audioTrack)
        world.run(for: .seconds(10))
        // The end of a stream has no later packet that would show a gap.
        world.network.conditions.loss = 0
        world.run(for: .milliseconds(100))
        track.isSending = false
        audioTrack.isSending = false
        world.run(for: .seconds(2))
        return Result(world: world, publisher: publisher, video: video, audio: audio, track: track)
    }

    @Test(arguments: [UInt64(1), 2, 3]) func `five percent loss both ways is repaired`(seed: UInt64) throws {
        var conditions = LinkConditions.lossy(0.05)
        conditions.delay = .milliseconds(15)
        let result = try run(conditions, seed: seed)
        #expect((result.video.main?.ratio ?? 0) >= 0.995)
        #expect(result.video.faults == [])
        #expect(result.video.repaired > 20)
        #expect(result.track.encodings[0].packetsRetransmitted > 20)
        #expect((0.85...0.95).contains(result.audio.main?.ratio ?? 0))
        #expect(result.world.server.value(.packetsRetransmitted) > 20)
    }

    @Test func `without RTX for the consumer a lost packet comes again as it was`() throws {
        var conditions = LinkConditions.lossy(0.05)
        conditions.delay = .milliseconds(15)
        let result = try run(conditions, usesRTX: false)
        #expect((result.video.main?.ratio ?? 0) >= 0.995)
        #expect(result.video.faults == [])
        #expect(result.video.repaired == 0)
    }

    @Test func `reordering costs nothing`() throws {
        var conditions = LinkConditions()
        conditions.reorder = 0.1
        conditions.reorderDelay = .milliseconds(7)
        conditions.jitter = .milliseconds(3)
        conditions.duplicate = 0.02
        let result = try run(conditions)
        #expect(result.video.main?.ratio == 1)
        #expect(result.audio.main?.ratio == 1)
        #expect(result.video.faults + result.audio.faults == [])
        #expect(result.world.server.value(.srtpReplay) > 0)
    }

    @Test func `two hundred milliseconds of round trip with loss still repair`() throws {
        var conditions = LinkConditions.lossy(0.02)
        conditions.delay = .milliseconds(100)
        let result = try run(conditions)
        #expect((result.video.main?.ratio ?? 0) >= 0.995)
        #expect(result.video.faults == [])
        #expect(result.track.encodings[0].keyFrameRequests <= 6)
    }

    @Test func `a narrow link loses its overflow and nothing else breaks`() throws {
        let world = try VirtualWorld()
        let publisher = try world.join()
        let viewer = try world.join()
        #expect(world.connectAll())
        var narrow = LinkConditions()
        narrow.rate = 250_000
        world.network.setConditions(narrow, from: publisher.peer.localAddress)
        let track = publisher.peer.addTrack(.video)
        try publisher.publish(track)
        let video = try viewer.subscribe(to: track)
        world.run(for: .seconds(5))
        #expect(world.network.lost > 100)
        #expect(video.packets > 50)
        #expect(video.faults == [])
        #expect(publisher.peer.isConnected)
    }

    @Test(.enabled(if: WallClock.isInForce)) func `a handshake gets through a lossy network`() throws {
        for seed in 1...5 {
            let world = try VirtualWorld(seed: UInt64(seed))
            world.network.conditions = .lossy(0.2)
            for role in [DTLSRole.client, .server] { _ = try world.join(dtlsRole: role) }
            #expect(world.connectAll(within: .seconds(40)))
        }
    }
}
