import Testing

@testable import RoundhouseMedia
@testable import TestSupport

/// A publisher of a screen on which nothing moves.
private struct StillScreen {
    let world: VirtualWorld
    let publisher: VirtualMember
    let viewer: VirtualMember
    let track: PublishedTrack

    init(shards: Int, rids: [String] = [], sentFor: MediaDuration = .seconds(1), silence: Int = 3500) throws {
        world = try VirtualWorld(shards: shards)
        publisher = try world.join()
        viewer = try world.join()
        #expect(world.connectAll())
        track = publisher.peer.addTrack(.video, rids: rids)
        track.video.framesPerSecond = 20
        try publisher.publish(track)
        world.run(for: sentFor)
        track.isSending = false
        track.answersKeyFrameRequests = false
        world.run(for: .milliseconds(silence))
    }

    /// The best encoding, which a viewer prefers.
    var encoding: PublishedStream { track.encodings[track.encodings.count - 1] }
    var requests: Int { encoding.keyFrameRequests }

    /// Milliseconds from `start` to each request since.
    func times(since start: MediaInstant) -> [Int] {
        encoding.keyFrameRequestTimes.filter { $0 >= start }.map { Int(($0 - start).milliseconds) }
    }

    func expect(
        _ times: [Int], near expected: [Int], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(
            times.count == expected.count && zip(times, expected).allSatisfy { ($1...$1 + 50).contains($0) },
            "\(times)", sourceLocation: sourceLocation)
    }
}

@Suite("A key frame that somebody waits for is asked for until it comes")
struct KeyFrameRequestTests {
    @Test(arguments: [1, 2], [[], ["l", "m", "h"]])
    func `a new viewer of a still screen, whose requests get lost, is seen to in the end`(
        shards: Int, rids: [String]
    ) throws {
        let screen = try StillScreen(shards: shards, rids: rids)
        let start = screen.world.now
        let stream = try screen.viewer.subscribe(to: screen.track)
        screen.world.run(for: .seconds(25))
        screen.expect(screen.times(since: start), near: [0, 1000, 3000, 7000, 12_000, 17_000, 22_000])
        #expect(stream.packets == 0)
        // The next one is answered.
        let count = screen.requests
        #expect(screen.world.run(atMost: .seconds(5)) { screen.requests > count })
        screen.track.needsKeyFrame[screen.track.encodings.count - 1] = true
        screen.publisher.peer.sendFrame(of: screen.track)
        screen.world.run(for: .milliseconds(10))
        #expect(stream.packets == 3 && stream.firstPacketIsKeyFrame == true)
        screen.world.run(for: .seconds(30))
        #expect(screen.requests == count + 1)
    }

    @Test(arguments: [1, 2], [[], ["l", "m", "h"]])
    func `of a screen that has not been still for long a new viewer gets what is kept`(
        shards: Int, rids: [String]
    ) throws {
        let screen = try StillScreen(shards: shards, rids: rids, sentFor: .milliseconds(500), silence: 1800)
        let count = screen.requests
        let stream = try screen.viewer.subscribe(to: screen.track)
        screen.world.run(for: .milliseconds(500))
        // The newest key frame, which a stream that was not announced is asked for, and all since.
        let whole = Int(screen.encoding.number) - (rids.isEmpty ? 0 : 3)
        #expect(stream.packets == whole && stream.firstPacketIsKeyFrame == true)
        #expect(screen.requests == count)
    }

    @Test(arguments: [1, 2]) func `nobody asks for a viewer who has gone, or looks away`(shards: Int) throws {
        let screen = try StillScreen(shards: shards)
        let stays = try screen.viewer.subscribe(to: screen.track)
        let leaves = try screen.viewer.subscribe(to: screen.track)
        screen.world.run(for: .seconds(4))
        screen.viewer.unsubscribe(leaves)
        let count = screen.requests
        screen.world.run(for: .seconds(4))
        #expect(screen.requests == count + 1)
        try screen.viewer.handle.setConsumerPaused(try #require(stays.consumer), true)
        screen.world.run(for: .seconds(30))
        #expect(screen.requests == count + 1)
        try screen.viewer.handle.setConsumerPaused(try #require(stays.consumer), false)
        screen.world.run(for: .milliseconds(100))
        #expect(screen.requests == count + 2)
        screen.viewer.unsubscribe(stays)
        screen.world.run(for: .seconds(30))
        #expect(screen.requests == count + 2)
        for shard in 0..<shards { #expect(screen.world.server.withShard(shard) { $0.wishing.isEmpty }) }
    }

    @Test(arguments: [1, 2]) func `one request for a broken picture is not forgotten`(shards: Int) throws {
        let screen = try StillScreen(shards: shards)
        screen.track.answersKeyFrameRequests = true
        let stream = try screen.viewer.subscribe(to: screen.track)
        screen.track.isSending = true
        screen.world.run(for: .seconds(3))
        #expect(stream.packets > 0)
        screen.track.isSending = false
        screen.track.answersKeyFrameRequests = false
        let start = screen.world.now
        screen.viewer.peer.sendPLI(of: stream)
        screen.world.run(for: .seconds(10))
        screen.expect(screen.times(since: start), near: [0, 1000, 3000, 7000])
        screen.track.needsKeyFrame[0] = true
        screen.publisher.peer.sendFrame(of: screen.track)
        screen.world.run(for: .seconds(20))
        #expect(screen.times(since: start).count == 4)
    }

    @Test(arguments: [1, 2]) func `a sender that comes back is asked at once`(shards: Int) throws {
        let screen = try StillScreen(shards: shards)
        let stream = try screen.viewer.subscribe(to: screen.track)
        // Just behind a request, 5 s before the next.
        screen.world.run(for: .milliseconds(13_200))
        let count = screen.requests
        screen.track.answersKeyFrameRequests = true
        screen.track.isSending = true
        screen.world.run(for: .milliseconds(150))
        #expect(screen.requests == count + 1)
        #expect(stream.firstPacketIsKeyFrame == true)
    }
}

@Suite("What viewers ask for does not decide what an encoder does all day")
struct KeyFrameStormTests {
    /// What a viewer does twenty times a second for five.
    enum Nuisance: CaseIterable {
        case pictureLoss, program, pausing, layers, switching
    }

    private func stage(
        shards: Int, viewers count: Int, rids: [String] = []
    ) throws -> (world: VirtualWorld, viewers: [VirtualMember], track: PublishedTrack, streams: [SubscribedStream]) {
        let world = try VirtualWorld(shards: shards)
        let publisher = try world.join()
        let viewers = try (0..<count).map { _ in try world.join() }
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video, rids: rids)
        track.video.framesPerSecond = 20
        try publisher.publish(track)
        let streams = try viewers.map { try $0.subscribe(to: track) }
        world.run(for: .seconds(4))
        return (world, viewers, track, streams)
    }

    @Test(arguments: Nuisance.allCases, [1, 2])
    func `one viewer costs a sender ten key frames in five seconds at most`(nuisance: Nuisance, shards: Int) throws {
        let (world, viewers, track, streams) = try stage(
            shards: shards, viewers: 1, rids: nuisance == .layers ? ["l", "m", "h"] : [])
        let other = viewers[0].peer.addTrack(.video)
        try viewers[0].publish(other)
        world.run(for: .seconds(1))
        let before = track.encodings.map(\.keyFrameRequests)
        let consumer = try #require(streams[0].consumer)
        var keyFrames = 0
        for step in 0..<100 {
            keyFrames = streams[0].keyFrames
            switch nuisance {
            case .pictureLoss: viewers[0].peer.sendPLI(of: streams[0])
            case .program: try viewers[0].handle.requestKeyFrame(consumer)
            case .pausing: try viewers[0].handle.setConsumerPaused(consumer, step % 2 == 0)
            case .layers: try viewers[0].prefer(step % 2 == 0 ? 0 : 2, 0, of: streams[0])
            case .switching: try viewers[0].switchSource(of: streams[0], to: step % 2 == 0 ? other : track)
            }
            world.run(for: .milliseconds(50))
        }
        let asked = zip(track.encodings, before).map { $0.keyFrameRequests - $1 }
        #expect(asked.max()! >= 3 && asked.max()! <= 10, "\(asked)")
        // Its last wish is kept, and granted: of one that lost nothing a little later.
        streams[0].reset()
        let lostNothing = nuisance == .pictureLoss || nuisance == .program
        world.run(for: .milliseconds(lostNothing ? 4500 : 1500))
        #expect(streams[0].packets > 20)
        if nuisance != .layers { #expect(streams[0].keyFrames > keyFrames) }
    }

    @Test(arguments: [1, 2])
    func `a viewer that cannot decode costs a sender less and less, which is said once`(shards: Int) throws {
        let (world, viewers, track, streams) = try stage(shards: shards, viewers: 2)
        let before = track.encodings[0].keyFrameRequests
        func ask(seconds: Int, losing: Bool = false) {
            for _ in 0..<seconds * 5 {
                viewers[0].peer.sendPLI(of: streams[0])
                if losing { viewers[0].peer.sendNACK(of: streams[0].ssrc, [SequenceNumber(1)]) }
                world.run(for: .milliseconds(200))
            }
        }
        ask(seconds: 120)
        // Four in the first seconds, then after 2, 4, 8, 16 and each 30.
        let asked = track.encodings[0].keyFrameRequests - before
        #expect((8...11).contains(asked), "\(asked)")
        let said = try #require(warnings(of: viewers[0]).only)
        #expect(said == TransportWarning(.unhelpfulKeyFrames, ssrc: streams[0].ssrc))
        #expect(warnings(of: viewers[1]).isEmpty)
        // The others' wishes are heeded as always.
        viewers[1].peer.sendPLI(of: streams[1])
        world.run(for: .milliseconds(600))
        #expect(track.encodings[0].keyFrameRequests == before + asked + 1)
        // What lost something may be helped.
        ask(seconds: 5, losing: true)
        #expect(track.encodings[0].keyFrameRequests >= before + asked + 4)
        #expect(clearedWarnings(of: viewers[0]) == [.unhelpfulKeyFrames])
    }

    @Test(arguments: [1, 2]) func `a viewer that can decode again has its requests heeded again`(shards: Int) throws {
        let (world, viewers, track, streams) = try stage(shards: shards, viewers: 1)
        for _ in 0..<100 {
            viewers[0].peer.sendPLI(of: streams[0])
            world.run(for: .milliseconds(200))
        }
        #expect(warnings(of: viewers[0]).count == 1)
        // Its last wish is granted within half a minute, and ten seconds later all is forgotten.
        world.run(for: .seconds(42))
        #expect(clearedWarnings(of: viewers[0]) == [.unhelpfulKeyFrames])
        let before = track.encodings[0].keyFrameRequests
        for _ in 0..<2 {
            viewers[0].peer.sendPLI(of: streams[0])
            world.run(for: .milliseconds(1100))
        }
        #expect(track.encodings[0].keyFrameRequests == before + 2)
        for shard in 0..<shards { #expect(world.server.withShard(shard) { $0.wishing.isEmpty }) }
    }

    private func warnings(of member: VirtualMember) -> [TransportWarning] {
        member.events.compactMap { if case .warningRaised(_, let warning) = $0 { warning } else { nil } }
    }

    private func clearedWarnings(of member: VirtualMember) -> [TransportWarning.Kind] {
        member.events.compactMap { if case .warningCleared(_, let kind) = $0 { kind } else { nil } }
    }

    @Test(arguments: [1, 2, 3]) func `five viewers cost a sender ten key frames in five seconds at most`(
        shards: Int
    ) throws {
        let (world, viewers, track, streams) = try stage(shards: shards, viewers: 5)
        let before = track.encodings[0].keyFrameRequests
        for _ in 0..<100 {
            for (viewer, stream) in zip(viewers, streams) {
                viewer.peer.sendPLI(of: stream)
                world.run(for: .milliseconds(10))
            }
        }
        let asked = track.encodings[0].keyFrameRequests - before
        #expect(asked >= 4 && asked <= 10)
        for stream in streams { #expect(stream.faults == [] && stream.keyFrames >= asked) }
    }

    @Test(arguments: [1, 2]) func `a viewer whose picture breaks waits for others' key frames half a second at most`(
        shards: Int
    ) throws {
        let (world, viewers, track, streams) = try stage(shards: shards, viewers: 2)
        viewers[0].peer.sendPLI(of: streams[0])
        world.run(for: .milliseconds(200))
        let count = track.encodings[0].keyFrameRequests
        viewers[1].peer.sendPLI(of: streams[1])
        world.run(for: .milliseconds(250))
        #expect(track.encodings[0].keyFrameRequests == count)
        world.run(for: .milliseconds(200))
        #expect(track.encodings[0].keyFrameRequests == count + 1)
        // That was what it had asked for, and nobody asks again.
        world.run(for: .seconds(5))
        #expect(track.encodings[0].keyFrameRequests == count + 1)
    }
}

extension Collection {
    /// The only element; `nil` if there are none or several.
    fileprivate var only: Element? { count == 1 ? first : nil }
}
