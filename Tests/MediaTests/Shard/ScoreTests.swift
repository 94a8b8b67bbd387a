import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Scores")
struct ScoreTests {
    private func producerScores(_ member: VirtualMember) -> [[EncodingScore]] {
        member.events.compactMap { if case .producerScoreChanged(_, let scores) = $0 { scores } else { nil } }
    }

    private func consumerScores(_ member: VirtualMember) -> [UInt8] {
        member.events.compactMap { if case .consumerScoreChanged(_, let score) = $0 { score } else { nil } }
    }

    @Test func `a producer's score is reported with its first packet, and again only when it changes`() throws {
        let (world, publisher, _, track, _) = try makeCall(shards: 1)
        world.run(for: .seconds(10))
        let score = EncodingScore(encoding: 0, ssrc: track.encodings[0].ssrc, score: 10)
        #expect(producerScores(publisher) == [[score]])
    }

    @Test func `what a publisher's link loses lowers the score, and a good link brings it back`() throws {
        let (world, publisher, _, track, _) = try makeCall(shards: 1)
        track.answersNACK = false
        world.run(for: .seconds(3))
        var conditions = LinkConditions()
        conditions.loss = 0.3
        world.network.setConditions(conditions, from: publisher.peer.localAddress)
        world.run(for: .seconds(20))
        let low = try #require(producerScores(publisher).last?.first?.score)
        #expect(low < 8)
        world.network.setConditions(LinkConditions(), from: publisher.peer.localAddress)
        world.run(for: .seconds(60))
        #expect(producerScores(publisher).last?.first?.score == 10)
    }

    @Test func `a simulcast encoding that falls silent scores zero until it is back`() throws {
        let world = try VirtualWorld()
        let publisher = try world.join()
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video, rids: ["lo", "hi"])
        try publisher.publish(track)
        world.run(for: .seconds(3))
        #expect(producerScores(publisher).last?.map(\.score) == [10, 10])
        #expect(producerScores(publisher).last?.map(\.rid) == ["lo", "hi"])
        track.activeEncodings = 1
        world.run(for: .milliseconds(1400))
        #expect(producerScores(publisher).last?.map(\.score) == [10, 10])
        world.run(for: .milliseconds(200))
        #expect(producerScores(publisher).last?.map(\.score) == [10, 0])
        let told = producerScores(publisher).count
        // However good the intervals of a silent encoding are, its score stays.
        world.run(for: .seconds(5))
        #expect(producerScores(publisher).count == told)
        track.activeEncodings = 2
        world.run(for: .milliseconds(200))
        #expect(producerScores(publisher).last?.map(\.score) == [10, 10])
    }

    @Test(arguments: [1, 2]) func `shards that choose between encodings know their scores`(shards: Int) throws {
        let (world, _, viewer, track, stream) = try makeCall(shards: shards, rids: ["lo", "hi"])
        let producer = try #require(track.producer)
        func scores() -> [UInt8] {
            world.server.withShard(viewer.transport.shard) { shard in
                guard let feed = shard.feedsByKey[producer.rawValue] else { return [] }
                return (0..<2).map { shard.feeds[feed].encodings.score(of: $0) }
            }
        }
        world.run(for: .seconds(4))
        #expect(scores() == [10, 10])
        track.activeEncodings = 1
        world.run(for: .milliseconds(1700))
        #expect(scores() == [10, 0])
        track.activeEncodings = 2
        world.run(for: .milliseconds(200))
        #expect(scores() == [10, 10])
        #expect(stream.faults == [])
    }

    @Test(arguments: [1, 2]) func `padding alone is no sign of life, and is not counted`(shards: Int) throws {
        let (world, publisher, viewer, track, stream) = try makeCall(shards: shards, rids: ["lo", "hi"])
        world.run(for: .seconds(4))
        #expect(viewer.layers(of: stream).last == ConsumerLayers(spatial: 1, temporal: 0))
        track.activeEncodings = 1
        let padded = track.encodings[1]
        let (sent, bytes) = (padded.packetsSent, padded.bytesSent)
        for _ in 0..<60 {
            try publisher.peer.sendRTP(
                payloadType: track.payloadType, ssrc: padded.ssrc, index: padded.index, payload: [0, 0, 0, 4],
                hasPadding: true)
            padded.index += 1
            world.run(for: .milliseconds(50))
        }
        #expect(producerScores(publisher).last?.map(\.score) == [10, 0])
        #expect(viewer.layers(of: stream).last == ConsumerLayers(spatial: 0, temporal: 0))
        try publisher.collectStatistics()
        world.run(for: .milliseconds(10))
        let streams = try #require(publisher.statistics?.producers.first?.streams)
        let told = try #require(streams.first { $0.rid == "hi" })
        #expect(told.packetsReceived == sent && told.bytesReceived <= bytes)
        #expect(told.packetsLost == 0)
        #expect(stream.faults == [])
    }

    @Test func `screen sharing with DTX may be silent for longer, and a paused producer forever`() throws {
        let world = try VirtualWorld()
        let publisher = try world.join()
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video, rids: ["lo", "hi"])
        let producer = try publisher.publish(track) { $0.scalability.usesDTX = true }
        world.run(for: .seconds(3))
        track.activeEncodings = 1
        world.run(for: .milliseconds(4800))
        #expect(producerScores(publisher).last?.map(\.score) == [10, 10])
        world.run(for: .milliseconds(300))
        #expect(producerScores(publisher).last?.map(\.score) == [10, 0])
        track.activeEncodings = 2
        world.run(for: .milliseconds(200))
        let told = producerScores(publisher).count
        try publisher.handle.setProducerPaused(producer.key, true)
        track.isSending = false
        world.run(for: .seconds(30))
        #expect(producerScores(publisher).count == told)
    }

    @Test(arguments: [1, 2]) func `a consumer's score falls with what its receiver reports lost`(shards: Int) throws {
        let (world, _, viewer, _, stream) = try makeCall(shards: shards)
        stream.sendsNACK = false
        world.run(for: .seconds(5))
        #expect(consumerScores(viewer) == [])
        var conditions = LinkConditions()
        conditions.loss = 0.3
        world.network.setConditions(conditions, to: viewer.peer.localAddress)
        world.run(for: .seconds(20))
        let low = try #require(consumerScores(viewer).last)
        #expect(low < 8)
        world.network.setConditions(LinkConditions(), to: viewer.peer.localAddress)
        world.run(for: .seconds(60))
        #expect(consumerScores(viewer).last == 10)
    }

    @Test(arguments: [1, 2]) func `an Opus sender with in-band FEC gets its worst receiver's loss, others do not`(
        shards: Int
    ) throws {
        for usesFEC in [true, false] {
            let world = try VirtualWorld(shards: shards)
            let publisher = try world.join()
            let viewers = [try world.join(), try world.join()]
            #expect(world.connectAll())
            let track = publisher.peer.addTrack(.audio)
            try publisher.publish(track) { $0.codecs[0].usesInBandFEC = usesFEC }
            for viewer in viewers { _ = try viewer.subscribe(to: track) }
            var conditions = LinkConditions()
            conditions.loss = 0.3
            world.network.setConditions(conditions, to: viewers[1].peer.localAddress)
            world.run(for: .seconds(20))
            let told = try #require(track.encodings[0].lastReport)
            #expect(told.cumulativeLost == 0)
            #expect(usesFEC ? (40...128).contains(told.fractionLost) : told.fractionLost == 0)
            world.network.setConditions(LinkConditions(), to: viewers[1].peer.localAddress)
            world.run(for: .seconds(20))
            #expect(track.encodings[0].lastReport?.fractionLost == 0)
        }
    }
}

@Suite("Sound")
struct AudioLevelTests {
    @Test func `levels come in batches of a tenth of a second, for audio only`() throws {
        let world = try VirtualWorld()
        let publisher = try world.join()
        #expect(world.connectAll())
        let audio = publisher.peer.addTrack(.audio)
        let producer = try publisher.publish(audio)
        try publisher.publish(publisher.peer.addTrack(.video))
        world.run(for: .seconds(2))
        audio.isSending = false
        world.run(for: .seconds(1))
        let batches = publisher.events.compactMap { if case .audioLevels(let levels) = $0 { levels } else { nil } }
        // A hundred packets in two seconds; after the last there is nothing to tell.
        #expect((17...22).contains(batches.count))
        let reports = batches.flatMap(\.self)
        #expect(reports.count == batches.count)
        #expect(Set(reports.map(\.producer)) == [producer.key])
        #expect(reports.reduce(0) { $0 + UInt64($1.count) } == audio.encodings[0].packetsSent)
        #expect(reports.allSatisfy { $0.levelSum == 30 * $0.count })
    }

    @Test func `transports of one room share a batch`() throws {
        let world = try VirtualWorld()
        // Two transports that tell one room.
        let queue = EventQueue {}
        let members = try (0..<2).map { _ in try world.join(events: queue) }
        #expect(world.connectAll())
        for member in members { try member.publish(member.peer.addTrack(.audio)) }
        world.run(for: .seconds(2))
        let batches = queue.drain().events.compactMap { if case .audioLevels(let levels) = $0 { levels } else { nil } }
        #expect((14...21).contains(batches.count))
        // But for the first, before both were heard.
        #expect(batches.dropFirst().allSatisfy { $0.count == 2 })
    }

    @Test func `a paused producer makes no sound`() throws {
        let world = try VirtualWorld()
        let publisher = try world.join()
        #expect(world.connectAll())
        try publisher.publish(publisher.peer.addTrack(.audio)) { $0.isPaused = true }
        world.run(for: .seconds(1))
        #expect(!publisher.events.contains { if case .audioLevels = $0 { true } else { false } })
    }

    @Test func `samples give way to events that carry a state`() throws {
        let queue = EventQueue {}
        for _ in 0..<EventQueue.sampleCapacity { #expect(queue.appendSample(.audioLevels([]))) }
        #expect(!queue.appendSample(.audioLevels([])))
        queue.append(.audioLevels([]))
        #expect(queue.drain().events.count == EventQueue.sampleCapacity + 1)
        #expect(queue.appendSample(.audioLevels([])))
    }
}
