import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("What consumers cost a publisher")
struct KeyFrameBudgetTests {
    /// 100 viewers join within five seconds, evenly; returns their streams, and how long each waited for its first packet.
    private func joinCrowd(
        _ viewers: [VirtualMember], of track: PublishedTrack, in world: VirtualWorld,
        keepsLog: (Int) -> Bool = { _ in false }, change: (Int, inout ConsumerSettings) -> Void = { _, _ in },
        later: (Int, SubscribedStream) throws -> Void = { _, _ in }
    ) throws -> (streams: [SubscribedStream], waits: [MediaDuration]) {
        var streams: [SubscribedStream] = []
        var joined: [MediaInstant] = []
        var waits: [Int: MediaDuration] = [:]
        func step(_ duration: MediaDuration) {
            let end = world.now + duration
            while world.now < end {
                world.run(for: .milliseconds(5))
                for (index, stream) in streams.enumerated() where waits[index] == nil && stream.packets > 0 {
                    waits[index] = world.now - joined[index]
                }
            }
        }
        for number in 0..<100 {
            let stream = try viewers[number % viewers.count].subscribe(to: track) { change(number, &$0) }
            stream.keepsLog = keepsLog(number)
            streams.append(stream)
            joined.append(world.now)
            step(.milliseconds(50))
            if number >= 6 { try later(number - 6, streams[number - 6]) }
        }
        for number in 94..<100 { try later(number, streams[number]) }
        step(.seconds(3))
        return (streams, streams.indices.map { waits[$0] ?? .seconds(100) })
    }

    /// A track that is sent for a while, 40 ms away, before any of the viewers watches it.
    private func stage(
        shards: Int, viewers count: Int = 10, rids: [String] = [], layered: LayeredVideo? = nil,
        for duration: MediaDuration = .seconds(4)
    ) throws -> (world: VirtualWorld, viewers: [VirtualMember], track: PublishedTrack) {
        let world = try VirtualWorld(shards: shards)
        let publisher = try world.join()
        let viewers = try (0..<count).map { _ in try world.join() }
        #expect(world.connectAll())
        world.network.conditions = .delayed(.milliseconds(40))
        let track = publisher.peer.addTrack(.video, rids: rids, layered: layered)
        try publisher.publish(track)
        world.run(for: duration)
        return (world, viewers, track)
    }

    @Test(arguments: [1, 2, 4]) func `a crowd of 100 that joins within five seconds costs two key frames`(
        shards: Int
    ) throws {
        let (world, viewers, track) = try stage(shards: shards)
        let before = track.encodings[0].keyFramesSent
        let (streams, waits) = try joinCrowd(viewers, of: track, in: world)
        #expect(track.encodings[0].keyFramesSent - before <= 2)
        // A request and its answer, 40 ms each way, a frame's time, and 40 ms to the viewer: nobody waits for longer.
        #expect(waits.max()! < .milliseconds(200))
        #expect(waits.count { $0 <= .milliseconds(60) } > 85)
        for stream in streams {
            #expect(stream.firstPacketIsKeyFrame == true && stream.packets > 50)
            #expect(stream.main?.ratio == 1)
            #expect(stream.faults == [])
        }
    }

    @Test(arguments: LayeredCase.all, [1, 2])
    func `a crowd that wants all kinds of layers costs two key frames of each`(
        layered: LayeredCase, shards: Int
    ) throws {
        let (world, viewers, track) = try stage(
            shards: shards, rids: layered.encodings > 1 ? ["l", "m", "h"] : [], layered: layered.video)
        let before = track.encodings.map(\.keyFramesSent)
        func preferred(_ number: Int) -> ConsumerLayers {
            ConsumerLayers(
                spatial: UInt8(number % layered.spatialLayers),
                temporal: UInt8(number / 3 % layered.video.temporalLayers))
        }
        let (streams, waits) = try joinCrowd(viewers, of: track, in: world, keepsLog: { $0 % 9 == 4 }) {
            $1.preferredLayers = preferred($0)
        }
        for (encoding, count) in zip(track.encodings, before) { #expect(encoding.keyFramesSent - count <= 2) }
        #expect(waits.max()! < .milliseconds(200))
        for (number, stream) in streams.enumerated() {
            #expect(stream.firstPacketIsKeyFrame == true)
            #expect(stream.faults == [])
            #expect(stream.duplicates == 0)
            let told = viewers[number % viewers.count].layers(of: stream)
            if layered.spatialLayers * layered.video.temporalLayers > 1 { #expect(told.last == preferred(number)) }
            guard stream.keepsLog else { continue }
            let video = DecodedVideo(stream.log, of: track.encodings)
            #expect(video.faults == [])
            #expect(video.broken.isEmpty)
            #expect(video.missing == 0)
            #expect(video.longestFreeze <= .milliseconds(300))
        }
    }

    @Test(arguments: [1, 2]) func `a crowd that finds its pictures too large costs two key frames of the smaller ones`(
        shards: Int
    ) throws {
        let (world, viewers, track) = try stage(
            shards: shards, rids: ["l", "m", "h"], layered: LayeredVideo(temporalLayers: 3))
        let before = track.encodings.map(\.keyFramesSent)
        let smaller = ConsumerLayers(spatial: 0, temporal: 2)
        let start = world.now
        let (streams, waits) = try joinCrowd(
            viewers, of: track, in: world, keepsLog: { $0 % 9 == 4 },
            later: {
                // 300 ms after it came, as a page does that has laid out its tiles.
                try viewers[$0 % viewers.count].prefer(0, 2, of: $1)
            })
        // One at once, and the next not before two and a half seconds have gone, in eight.
        let sent = zip(track.encodings, before).map { $0.keyFramesSent - $1 }
        #expect(sent[0] <= Int((world.now - start).milliseconds / 2500) + 1)
        #expect(sent[1] == 0)
        #expect(sent[2] <= 2)
        #expect(waits.max()! < .milliseconds(200))
        for (number, stream) in streams.enumerated() {
            #expect(viewers[number % viewers.count].layers(of: stream).last == smaller)
            guard stream.keepsLog else { continue }
            let video = DecodedVideo(stream.log, of: track.encodings)
            #expect(video.faults == [])
            #expect(video.broken.isEmpty)
            #expect(video.missing == 0)
            #expect(video.longestFreeze <= .milliseconds(300))
        }
    }

    @Test(arguments: [1, 2], [UInt64(3), 4, 5, 6])
    func `a receiver that joins through loss catches up all the same`(shards: Int, seed: UInt64) throws {
        let world = try VirtualWorld(shards: shards, seed: seed)
        let publisher = try world.join()
        let viewers = try (0..<4).map { _ in try world.join() }
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video, layered: LayeredVideo(temporalLayers: 3))
        try publisher.publish(track)
        world.run(for: .seconds(2))
        var conditions = LinkConditions.lossy(0.05)
        conditions.delay = .milliseconds(40)
        world.network.conditions = conditions
        let streams = try viewers.map { viewer in
            let stream = try viewer.subscribe(to: track)
            stream.keepsLog = true
            world.run(for: .milliseconds(100))
            return stream
        }
        // Nothing tells a receiver that its first packets were lost: one that cannot decode asks for a key frame.
        world.run(for: .milliseconds(500))
        for (viewer, stream) in zip(viewers, streams)
        where !DecodedVideo(stream.log, of: track.encodings).frames.contains(where: \.isDecoded) {
            viewer.peer.sendPLI(of: stream)
        }
        world.run(for: .milliseconds(3500))
        world.network.conditions = .delayed(.milliseconds(40))
        world.run(for: .seconds(2))
        for stream in streams {
            let video = DecodedVideo(stream.log, of: track.encodings)
            #expect(video.faults == [])
            #expect(video.ratio >= 0.995)
            #expect(video.frames.count { $0.isDecoded } > 150)
        }
    }

    @Test(arguments: [1, 2]) func `before a pause of the producer nothing begins`(shards: Int) throws {
        let world = try VirtualWorld(shards: shards)
        let publisher = try world.join()
        let viewers = try (0..<2).map { _ in try world.join() }
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video)
        let (key, _) = try publisher.publish(track)
        let first = try viewers[0].subscribe(to: track)
        world.run(for: .seconds(1))
        try publisher.handle.setProducerPaused(key, true)
        world.run(for: .milliseconds(300))
        try publisher.handle.setProducerPaused(key, false)
        let resumed = track.encodings[0].number
        let second = try viewers[1].subscribe(to: track)
        world.run(for: .seconds(1))
        let begun = try #require(second.main?.first)
        #expect(begun >= resumed)
        #expect(second.firstPacketIsKeyFrame == true && first.packets > 100)
        #expect(second.main?.ratio == 1)
    }

    @Test(arguments: [1, 2]) func `a receiver that joins a still screen gets all of its key frame`(shards: Int) throws {
        let world = try VirtualWorld(shards: shards)
        let publisher = try world.join()
        let viewers = try (0..<2).map { _ in try world.join() }
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video)
        track.video.packetsPerFrame = 200
        try publisher.publish(track)
        world.run(for: .milliseconds(20))
        track.isSending = false
        let streams = try viewers.map { try $0.subscribe(to: track) }
        world.run(for: .milliseconds(450))
        let sent = track.encodings[0].number
        for stream in streams { #expect(stream.main?.count == Int(sent) && stream.main?.ratio == 1) }
        // Nobody is left behind: what follows comes at once.
        track.isSending = true
        track.video.packetsPerFrame = 4
        world.run(for: .milliseconds(200))
        for stream in streams { #expect(stream.main?.ratio == 1 && (stream.main?.count ?? 0) > Int(sent) + 12) }
        for shard in 0..<shards { #expect(world.server.withShard(shard) { $0.catchingUp.isEmpty }) }
    }

    @Test(arguments: [4, 120]) func `what is kept for nobody is little, and goes`(packetsPerFrame: Int) throws {
        let world = try VirtualWorld(shards: 1)
        let publisher = try world.join()
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video)
        track.video.packetsPerFrame = packetsPerFrame
        let (key, _) = try publisher.publish(track)
        func kept() -> Int {
            world.server.withShard(0) { shard in
                shard.feedsByKey[key.rawValue].map { shard.feeds[$0].cache.allocatedBytes(of: 0) } ?? -1
            }
        }
        var most = 0
        for _ in 0..<20 {
            world.run(for: .milliseconds(50))
            most = max(most, kept())
        }
        #expect(most > 150_000 && most < 1_700_000)
        // The group is old, or too large: nothing more is kept.
        world.run(for: .seconds(3))
        #expect(kept() == 0)
        track.needsKeyFrame[0] = true
        world.run(for: .milliseconds(100))
        #expect(kept() > 0)
        track.isSending = false
        world.run(for: .seconds(5))
        #expect(kept() == 0)
    }

    @Test func `where too much is sent to keep, a crowd waits for two and a half seconds at most`() throws {
        let world = try VirtualWorld(shards: 1)
        let publisher = try world.join()
        let viewers = try (0..<2).map { _ in try world.join() }
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video)
        // 3600 packets a second: the newest 2500 are less than one.
        track.video.packetsPerFrame = 120
        try publisher.publish(track)
        world.run(for: .seconds(4))
        let before = track.encodings[0].keyFramesSent
        let start = world.now
        var waits: [MediaDuration] = []
        for number in 0..<10 {
            let stream = try viewers[number % 2].subscribe(to: track)
            let joined = world.now
            #expect(world.run(atMost: .milliseconds(2600)) { stream.packets > 0 })
            waits.append(world.now - joined)
            viewers[number % 2].unsubscribe(stream)
            world.run(for: .milliseconds(100))
            if world.now - joined < .milliseconds(500) { world.run(for: .milliseconds(400)) }
        }
        #expect(waits.max()! > .seconds(1))
        let crowd = track.encodings[0].keyFramesSent - before
        #expect(crowd >= 3 && crowd <= Int((world.now - start).milliseconds / 2500) + 1)
    }

    @Test func `consumers that wait at the same time share one request for each encoding`() throws {
        let (world, viewers, track) = try stage(
            shards: 2, viewers: 6, rids: ["l", "m", "h"], layered: LayeredVideo(temporalLayers: 3), for: .seconds(3))
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
