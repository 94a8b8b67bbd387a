import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Pointing a consumer at another producer")
struct SourceSwitchTests {
    /// From which video to which.
    struct Pair: CustomTestStringConvertible, Sendable {
        var one: LayeredCase
        var other: LayeredCase
        var testDescription: String { "\(one.name) to \(other.name)" }
    }

    private static let plain = LayeredCase(name: "VP8", video: LayeredVideo())
    private static let pairs = [
        Pair(one: plain, other: plain), Pair(one: plain, other: LayeredCase.all[0]),
        Pair(one: LayeredCase.all[0], other: plain), Pair(one: LayeredCase.all[0], other: LayeredCase.all[0]),
        Pair(one: LayeredCase.all[2], other: LayeredCase.all[3]),
        Pair(one: LayeredCase.all[5], other: LayeredCase.all[4]),
        Pair(one: LayeredCase.all[1], other: LayeredCase.all[1]),
    ]

    @Test(arguments: pairs, [1, 3])
    func `numbers, timestamps and pictures go on, on a key frame, within 300 ms`(pair: Pair, shards: Int) throws {
        let call = try LayeredCall(pair.one.video, encodings: pair.one.encodings, shards: shards)
        let second = try call.world.join()
        #expect(call.world.connectAll())
        let rids = ["l", "m", "h"].prefix(pair.other.encodings > 1 ? pair.other.encodings : 0)
        let other = second.peer.addTrack(.video, rids: Array(rids), layered: pair.other.video)
        try second.publish(other)
        // Everybody's packets take 30 ms: a request and its answer 60, with a frame's time on top.
        call.world.network.conditions = .delayed(.milliseconds(30))
        call.world.run(for: .seconds(4))
        for target in [other, call.track, other] {
            try call.viewer.switchSource(of: call.stream, to: target)
            call.world.run(for: .milliseconds(400))
            let settled = call.world.now
            call.world.run(for: .seconds(3))
            let names = Set(target.encodings.map(\.contentStream))
            let received = call.stream.log.filter { $0.at >= settled }.compactMap { $0.content?.stream }
            #expect(received.count > 60 && received.allSatisfy { names.contains($0) })
        }
        let video = call.decoded(alsoOf: other.encodings)
        #expect(video.faults.prefix(6) == [])
        #expect(video.broken.isEmpty)
        #expect(video.missing <= 3)
        #expect(video.longestFreeze <= .milliseconds(300))
        #expect(call.stream.faults == [])
        #expect(call.viewer.failures == [])
        #expect(call.viewer.peer.authenticationFailures == 0)
        #expect(call.stream.lastCNAME == other.cname)
        // The source that nobody consumes any more is not copied to the viewer's shard.
        for shard in 0..<shards {
            let consumed = call.world.server.withShard(shard) { shard in
                shard.feedsByKey.values.count { !shard.feeds[$0].consumers.isEmpty }
            }
            #expect(consumed == (shard == call.viewer.transport.shard ? 1 : 0))
        }
    }

    @Test(arguments: [1, 2]) func `audio goes over at once`(shards: Int) throws {
        let world = try VirtualWorld(shards: shards)
        let members = try (0..<3).map { _ in try world.join() }
        #expect(world.connectAll())
        let tracks = try members[0...1].map { member in
            let track = member.peer.addTrack(.audio)
            try member.publish(track)
            return track
        }
        let stream = try members[2].subscribe(to: tracks[0])
        world.run(for: .seconds(1))
        try members[2].switchSource(of: stream, to: tracks[1])
        stream.reset()
        world.run(for: .seconds(1))
        #expect((48...51).contains(stream.packets))
        #expect(stream.delivered[tracks[1].encodings[0].contentStream]?.ratio == 1)
        #expect(stream.faults == [])
        #expect(stream.receive.statistics(at: world.now).packetsLost == 0)
        #expect(members[2].peer.authenticationFailures == 0)
    }

    @Test func `a paused consumer is switched and begins with the new source when it resumes`() throws {
        let call = try LayeredCall(Self.plain.video, shards: 2)
        let second = try call.world.join()
        #expect(call.world.connectAll())
        let other = second.peer.addTrack(.video, layered: Self.plain.video)
        try second.publish(other)
        call.world.run(for: .seconds(1))
        let consumer = try #require(call.stream.consumer)
        try call.viewer.handle.setConsumerPaused(consumer, true)
        try call.viewer.switchSource(of: call.stream, to: other)
        call.world.run(for: .seconds(1))
        call.stream.reset()
        call.world.run(for: .seconds(1))
        #expect(call.stream.packets == 0)
        try call.viewer.handle.setConsumerPaused(consumer, false)
        call.world.run(for: .seconds(1))
        #expect(call.stream.delivered.keys.elementsEqual([other.encodings[0].contentStream]))
        #expect(call.stream.firstPacketIsKeyFrame == true)
        #expect(call.decoded(alsoOf: other.encodings).faults == [])
    }

    @Test func `another kind or codec is refused, and what was sent goes on`() throws {
        let call = try LayeredCall(Self.plain.video)
        let tracks = [
            call.publisher.peer.addTrack(.audio),
            call.publisher.peer.addTrack(.video, layered: LayeredVideo(codec: .vp9)),
        ]
        for track in tracks { try call.publisher.publish(track) }
        call.world.run(for: .seconds(1))
        for track in tracks { try call.viewer.switchSource(of: call.stream, to: track) }
        call.stream.reset()
        call.world.run(for: .seconds(1))
        #expect(call.viewer.failures.map(\.code) == [.invalidSetting, .invalidSetting])
        #expect(call.stream.main?.ratio == 1)
        #expect(call.stream.packets > 80)
    }
}
