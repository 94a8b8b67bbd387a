import Testing

@testable import RoundhouseMedia
@testable import TestSupport

/// How many of everything a shard holds; all zero when it holds nothing.
struct ShardContents: Equatable, CustomStringConvertible {
    var transports = 0
    var fragments = 0
    var tuples = 0
    var producers = 0
    var consumers = 0
    var sources = 0
    var hasDeadline = false

    init() {}

    init(_ shard: borrowing Shard) {
        transports = shard.transports.count
        if shard.transportsByKey.count != transports { transports = -1 }
        if shard.webRTCAssociations.count + shard.plainAssociations.count != transports { transports = -1 }
        fragments = shard.transportsByUsernameFragment.count
        tuples = shard.tuples.count { $0 != nil }
        if shard.tupleNumbers.count != tuples || shard.freeTuples.count + tuples != shard.tuples.count { tuples = -1 }
        producers = shard.producers.count == shard.producersByKey.count ? shard.producers.count : -1
        consumers = shard.consumers.count == shard.consumersByKey.count ? shard.consumers.count : -1
        sources = shard.feeds.count == shard.feedsByKey.count ? shard.feeds.count : -1
        hasDeadline = shard.nextDeadline() != nil
    }

    var description: String {
        "\(transports) transports, \(fragments) fragments, \(tuples) tuples, \(producers) producers, "
            + "\(consumers) consumers, \(sources) sources, deadline: \(hasDeadline)"
    }
}

@Suite("Opening and closing")
struct LifetimeTests {
    @Test(arguments: [1, 3]) func `a thousand transports come and go and leave nothing`(shards: Int) throws {
        let world = try VirtualWorld(shards: shards)
        for _ in 0..<250 {
            let members = try (0..<4).map { _ in try world.join() }
            for member in members {
                try member.publish(member.peer.addTrack(.audio))
                try member.publish(member.peer.addTrack(.video))
            }
            for member in members {
                for other in members where other !== member {
                    for track in other.peer.tracks { _ = try member.subscribe(to: track) }
                }
            }
            for member in members { for track in member.peer.tracks { track.isSending = false } }
        }
        world.connectAll()
        #expect(world.members.count { !$0.peer.isConnected } == 0)
        world.run(for: .milliseconds(20))
        var held = 0
        for shard in 0..<shards { held += world.server.withShard(shard) { ShardContents($0).consumers } }
        #expect(held == 1000 * 6)
        world.removeAll()
        world.run(for: .milliseconds(20))
        for shard in 0..<shards {
            #expect(world.server.withShard(shard) { ShardContents($0) } == ShardContents())
        }
        #expect(world.server.value(.transportsOpened) == 1000)
        #expect(world.server.value(.transportsClosed) == 1000)
        // No room takes more than a deadline's worth of time afterwards.
        world.run(for: .seconds(60))
        #expect(world.server.value(.commandsIgnored) < 1000 * 6)
    }

    @Test(arguments: [1, 2]) func `a consumer closed with packets under way is silent at once`(shards: Int) throws {
        let (world, _, viewer, track, stream) = try makeCall(shards: shards)
        let second = try viewer.subscribe(to: track)
        world.network.conditions.delay = .milliseconds(50)
        world.run(for: .seconds(1))
        viewer.handle.closeConsumer(try #require(stream.consumer))
        // A NACK, a PLI and a report about it arrive after the close.
        viewer.peer.sendNACK(of: stream.ssrc, [SequenceNumber(UInt16(truncatingIfNeeded: stream.packets))])
        viewer.peer.sendPLI(of: stream)
        world.run(for: .milliseconds(70))
        let packets = stream.packets
        world.run(for: .seconds(1))
        #expect(stream.packets == packets)
        #expect(second.main?.ratio == 1)
        #expect(second.packets > packets)
        #expect(second.faults == [])
    }

    @Test(arguments: [1, 2]) func `a producer closed with packets under way ends them, and its SSRC is free again`(
        shards: Int
    ) throws {
        let (world, publisher, viewer, track, stream) = try makeCall(shards: shards)
        world.network.conditions.delay = .milliseconds(50)
        world.run(for: .seconds(1))
        publisher.handle.closeProducer(try #require(track.producer))
        world.run(for: .milliseconds(70))
        let packets = stream.packets
        world.run(for: .seconds(1))
        #expect(stream.packets == packets)
        #expect(world.server.value(.unknownSSRC) > 50)
        viewer.unsubscribe(stream)
        try publisher.publish(track)
        let again = try viewer.subscribe(to: track)
        world.run(for: .seconds(1))
        #expect(again.packets > 50)
        #expect(again.firstPacketIsKeyFrame == true)
        #expect(again.faults == [])
        #expect(publisher.failures == [])
    }

    @Test func `closing twice, and commands for what is gone, are ignored and counted`() throws {
        let (world, publisher, viewer, track, stream) = try makeCall(shards: 1)
        world.run(for: .milliseconds(500))
        let producer = try #require(track.producer)
        let consumer = try #require(stream.consumer)
        #expect(world.server.value(.commandsIgnored) == 0)
        let handle = publisher.handle
        handle.closeConsumer(consumer)
        handle.closeConsumer(consumer)
        handle.closeProducer(producer)
        handle.closeProducer(producer)
        try handle.setConsumerPaused(consumer, true)
        try handle.setConsumerProducerPaused(consumer, true)
        try handle.requestKeyFrame(consumer)
        try handle.setProducerPaused(producer, true)
        world.run(for: .milliseconds(10))
        #expect(world.server.value(.commandsIgnored) == 6)
        handle.closeTransport(viewer.transport)
        handle.closeTransport(viewer.transport)
        try handle.restartICE(viewer.transport, credentials: .random(using: &viewer.peer.random))
        try viewer.tellServer()
        _ = try handle.openProducer(ClientCodecs.producerSettings(of: track), on: viewer.transport)
        _ = try viewer.subscribe(to: track)
        world.run(for: .milliseconds(10))
        #expect(world.server.value(.commandsIgnored) == 11)
        #expect(world.server.value(.transportsClosed) == 1)
        try viewer.collectStatistics()
        world.run(for: .milliseconds(10))
        #expect(viewer.statistics == nil)
        #expect(viewer.iceStates.last == .closed)
    }

    @Test func `a consumer of a producer that never was waits for nothing and closes`() throws {
        let (world, _, viewer, track, _) = try makeCall(shards: 2)
        let ghost = PublishedTrack(
            kind: .video, mid: "9", cname: "", encodings: track.encodings, usesRTX: true)
        ghost.producer = ProducerKey(rawValue: MediaKeyLayout.key(shard: 1, serial: 999_999))
        let stream = try viewer.subscribe(to: ghost)
        world.run(for: .seconds(1))
        #expect(stream.packets == 0)
        viewer.unsubscribe(stream)
        world.run(for: .milliseconds(10))
        for shard in 0..<2 {
            let consumed = world.server.withShard(shard) { shard in
                shard.feedsByKey.values.count { !shard.feeds[$0].consumers.isEmpty }
            }
            #expect(consumed == (shard == viewer.transport.shard ? 1 : 0))
        }
    }

    @Test func `a transport closed while its publisher's packets wait in a ring`() throws {
        let (world, publisher, viewer, _, stream) = try makeCall(shards: 2)
        world.run(for: .seconds(1))
        viewer.leave()
        world.run(for: .seconds(1))
        publisher.leave()
        world.run(for: .seconds(1))
        for shard in 0..<2 { #expect(world.server.withShard(shard) { ShardContents($0) } == ShardContents()) }
        #expect(stream.faults == [])
        // The subscription between the shards ended too.
        #expect(world.server.value(.ringFull) == 0)
    }

    @Test func `conflicting producers and consumers are refused with an event`() throws {
        let (world, publisher, viewer, track, stream) = try makeCall(shards: 1)
        try publisher.publish(track)
        _ = try publisher.publish(track) { settings in
            settings.mid = nil
            settings.codecs = []
        }
        try publisher.publish(track) { settings in
            settings.encodings[0].ssrc = SSRC(77)
            settings.encodings[0].rtxSSRC = SSRC(78)
        }
        _ = try viewer.subscribe(to: track) { $0.ssrc = stream.ssrc }
        world.run(for: .milliseconds(10))
        #expect(publisher.failures.map(\.code) == [.streamConflict, .invalidSetting, .streamConflict])
        #expect(viewer.failures.map(\.code) == [.streamConflict])
        stream.reset()
        world.run(for: .milliseconds(500))
        #expect(stream.main?.ratio == 1)
    }
}
