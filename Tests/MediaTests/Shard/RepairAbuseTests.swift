import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("NACK and RTX beyond measure")
struct RepairAbuseTests {
    @Test(arguments: [1, 2]) func `a flood of NACKs for everything has no more resent than was sent`(shards: Int) throws
    {
        let (world, _, viewer, _, stream) = try makeCall(shards: shards)
        world.network.conditions.delay = .milliseconds(40)
        world.run(for: .seconds(5))
        let newest = try #require(stream.receive.highestExtended)
        let window = (0..<180).map { SequenceNumber(UInt16(truncatingIfNeeded: newest &- UInt64($0))) }.reversed()
        // What it asks for is what this test says.
        stream.sendsNACK = false
        let before = world.server.value(.packetsRetransmitted)
        let forwarded = world.server.value(.packetsForwarded)
        for _ in 0..<50 {
            viewer.peer.sendNACK(of: stream.ssrc, Array(window))
            world.run(for: .milliseconds(1))
        }
        world.network.conditions.delay = .milliseconds(1)
        world.run(for: .milliseconds(50))
        // Within one round trip each packet comes again once at most.
        let once = world.server.value(.packetsRetransmitted) - before
        #expect(once > 100 && once <= UInt64(window.count))
        // A receiver with a short round trip that asks every millisecond for three seconds.
        for _ in 0..<3000 {
            if let highest = stream.receive.highestExtended {
                let all = (0..<200).map { SequenceNumber(UInt16(truncatingIfNeeded: highest &- UInt64($0))) }
                viewer.peer.sendNACK(of: stream.ssrc, all.reversed())
            }
            world.run(for: .milliseconds(1))
        }
        let resent = world.server.value(.packetsRetransmitted) - before
        let sent = world.server.value(.packetsForwarded) - forwarded
        #expect(resent <= sent + UInt64(ResendLimiter.largestAllowance))
        #expect(stream.faults == [])
    }

    @Test func `NACKs for the far past, the future and other streams bring nothing`() throws {
        let (world, _, viewer, _, stream) = try makeCall(shards: 1)
        world.run(for: .seconds(4))
        let newest = try #require(stream.receive.highestExtended)
        let before = world.server.value(.packetsRetransmitted)
        for distance in [600, 2500, 4000, 20_000, 32_767, 32_768, 40_000, 65_000] {
            let number = SequenceNumber(UInt16(truncatingIfNeeded: newest &- UInt64(distance)))
            viewer.peer.sendNACK(of: stream.ssrc, [number])
            viewer.peer.sendNACK(of: SSRC(0xDEAD_BEEF), [number])
            if let rtx = stream.rtxSSRC { viewer.peer.sendNACK(of: rtx, [number]) }
        }
        world.run(for: .milliseconds(50))
        #expect(world.server.value(.packetsRetransmitted) == before)
        #expect(world.server.value(.nacksReceived) >= 24)
    }

    @Test func `a consumer without NACK gets nothing again, one of audio with NACK gets what it was sent`() throws {
        for wantsNACK in [false, true] {
            let world = try VirtualWorld()
            let publisher = try world.join()
            let viewer = try world.join()
            #expect(world.connectAll())
            let track = publisher.peer.addTrack(.audio)
            try publisher.publish(track)
            let stream = try viewer.subscribe(to: track) { settings in
                settings.codecs[0].feedback = wantsNACK ? [.nack, .transportWide] : [.transportWide]
            }
            world.run(for: .seconds(2))
            let newest = try #require(stream.receive.highestExtended)
            // One just sent, one from before the buffer's second.
            for distance: UInt64 in [5, 80] {
                viewer.peer.sendNACK(
                    of: stream.ssrc, [SequenceNumber(UInt16(truncatingIfNeeded: newest &- distance))])
            }
            world.run(for: .milliseconds(20))
            #expect(world.server.value(.packetsRetransmitted) == (wantsNACK ? 1 : 0))
            #expect(stream.faults == [])
        }
    }

    /// Whoever goes by the one codec's RTX writes the time of sending into headers that are sent again under their numbers.
    @Test(arguments: [true, false])
    func `of two codecs, one with RTX, the other's packets come again to the last bit or not at all`(
        wantsNACK: Bool
    ) throws {
        let world = try VirtualWorld()
        let publisher = try world.join()
        let viewer = try world.join()
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video)
        try publisher.publish(track)
        let stream = try viewer.subscribe(to: track) { settings in
            settings.codecs[0].rtxPayloadType = nil
            if !wantsNACK { settings.codecs[0].feedback.remove(.nack) }
            settings.codecs.append(
                ConsumerCodec(
                    codec: .h264, clockRate: 90_000, payloadType: ClientCodecs.routerPayloadType(.h264),
                    rtxPayloadType: ClientCodecs.routerVP8RTX, feedback: ClientCodecs.videoFeedback))
        }
        world.run(for: .seconds(1))
        let repeated = RepeatedPackets(to: viewer.peer, in: world)
        world.network.conditions = .lossy(0.05)
        world.network.conditions.delay = .milliseconds(20)
        world.run(for: .seconds(5))
        #expect(stream.nacksSent > 10)
        #expect(repeated.different == 0)
        #expect(wantsNACK == (repeated.same > 10))
        #expect(wantsNACK == (world.server.value(.packetsRetransmitted) > 10))
        #expect(stream.repaired == 0 && stream.faults == [])
    }

    @Test func `RTX for packets nobody knows is dropped, and the stream goes on`() throws {
        let (world, publisher, _, track, stream) = try makeCall(shards: 1)
        world.run(for: .seconds(2))
        let sent = track.encodings[0]
        let rtx = try #require(sent.rtxSSRC)
        let before = world.server.value(.uselessRetransmission)
        for step in 0..<2000 {
            let original = UInt16(truncatingIfNeeded: sent.index &+ 50 &+ UInt64(step * 31))
            try publisher.peer.sendRTP(
                payloadType: ClientCodecs.vp8RTX, ssrc: rtx, index: sent.rtxIndex,
                payload: [UInt8(original >> 8), UInt8(truncatingIfNeeded: original), 0x10, 0, 0, 0, 0, 0])
            sent.rtxIndex += 1
            if step % 100 == 0 { world.run(for: .milliseconds(1)) }
        }
        world.run(for: .milliseconds(20))
        #expect(world.server.value(.uselessRetransmission) - before > 1900)
        try publisher.collectStatistics()
        world.run(for: .milliseconds(20))
        let discarded = publisher.statistics?.producers.first?.streams.first?.rtxPacketsDiscarded ?? 0
        #expect(discarded > 1900)
        world.run(for: .milliseconds(200))
        stream.reset()
        world.run(for: .seconds(1))
        #expect(stream.main?.ratio == 1 && stream.packets > 50)
    }

    @Test(arguments: [100, 2_999, 3_001, 20_000, 32_000], [1, 2])
    func `a sender whose numbers and timestamps jump is heard again`(jump: Int, shards: Int) throws {
        let (world, _, _, track, stream) = try makeCall(shards: shards)
        world.run(for: .seconds(2))
        let sent = track.encodings[0]
        for _ in 0..<5 {
            sent.index += UInt64(jump)
            sent.timestamp &+= 0x3000_0000
            world.run(for: .seconds(3))
        }
        stream.reset()
        world.run(for: .seconds(1))
        #expect(stream.main?.ratio == 1 && stream.packets > 50)
        #expect(stream.corrupted == 0)
        // A few key frames are asked for, not a stream of them.
        #expect(sent.keyFrameRequests < 40)
    }

    @Test func `ten thousand SSRCs in one MID leave one stream, and the newest is forwarded`() throws {
        let world = try VirtualWorld(shards: 2)
        let publisher = try world.join()
        let viewer = try world.join()
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video)
        // Neither SSRC nor RID announced: the MID says whose stream it is.
        try publisher.publish(track) { settings in
            settings.encodings[0].ssrc = nil
            settings.encodings[0].rtxSSRC = nil
        }
        let stream = try viewer.subscribe(to: track)
        world.run(for: .seconds(2))
        #expect(stream.packets > 50)
        track.isSending = false
        for ssrc in 0..<10_000 {
            try publisher.peer.sendRTP(
                payloadType: ClientCodecs.vp8, ssrc: SSRC(UInt32(3_000_000 + ssrc)), index: 1,
                payload: [0x10, 0, 0, 0, 0, 0], mid: track.mid)
            if ssrc % 200 == 0 { world.run(for: .milliseconds(1)) }
        }
        world.run(for: .milliseconds(50))
        world.server.withShard(publisher.transport.shard) { shard in
            guard let transport = shard.transportsByKey[publisher.transport.rawValue] else {
                Issue.record("the transport is gone")
                return
            }
            #expect(shard.transports[transport].streams.count == 1)
            #expect(shard.transports[transport].protection.receivedStreams <= 3)
        }
        track.isSending = true
        world.run(for: .seconds(2))
        stream.reset()
        world.run(for: .seconds(1))
        #expect(stream.main?.ratio == 1 && stream.packets > 50)
    }
}
