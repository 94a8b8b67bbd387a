import Testing

@testable import RoundhouseMedia
@testable import TestSupport

/// Viewers behind links that carry less than they are offered.
@Suite("Bandwidth")
struct BandwidthTests {
    /// A publisher of videos with three temporal layers, each of about 470 kb/s, and a viewer of all of them who tells
    /// what arrives.
    private struct Call {
        let world: VirtualWorld
        let viewer: VirtualMember
        var tracks: [PublishedTrack] = []
        var streams: [SubscribedStream] = []

        init(
            tracks count: Int, rate: Int, shards: Int = 1, limits: BitrateLimits = BitrateLimits(),
            change: (inout ConsumerSettings) -> Void = { _ in }
        ) throws {
            world = try VirtualWorld(shards: shards)
            let publisher = try world.join()
            viewer = try world.join(limits: limits, data: DataTransportSettings(sendBuffer: 2_000_000))
            viewer.peer.givesFeedback = true
            #expect(world.connectAll())
            setLink(rate: rate)
            for _ in 0..<count {
                let track = publisher.peer.addTrack(.video, layered: LayeredVideo(temporalLayers: 3))
                try publisher.publish(track)
                tracks.append(track)
                let stream = try viewer.subscribe(to: track, change: change)
                stream.keepsLog = true
                streams.append(stream)
            }
        }

        func setLink(rate: Int) {
            var conditions = LinkConditions.delayed(.milliseconds(25))
            conditions.rate = rate
            conditions.queue = .milliseconds(300)
            world.network.setConditions(conditions, to: viewer.peer.localAddress)
        }

        /// The share of datagrams that the link loses from now on for so long.
        func loss(over duration: MediaDuration) -> Double {
            let (sent, lost) = (world.network.sent, world.network.lost)
            world.run(for: duration)
            return Double(world.network.lost - lost) / Double(max(world.network.sent - sent, 1))
        }

        /// Kilobits a second that a stream brought in the last so many seconds.
        func rate(of stream: SubscribedStream, over seconds: Int) -> Int {
            let since = MediaInstant(nanoseconds: world.now.nanoseconds - UInt64(seconds) * 1_000_000_000)
            return stream.log.count { $0.at >= since } * 600 * 8 / 1000 / seconds
        }

        func bandwidth() throws -> BandwidthState? {
            try viewer.collectStatistics()
            world.run(for: .milliseconds(50))
            return viewer.statistics?.bandwidth
        }
    }

    @Test(arguments: [1, 2]) func `a viewer behind a narrow link gets fewer pictures instead of losing packets`(
        shards: Int
    ) throws {
        let call = try Call(tracks: 1, rate: 300_000, shards: shards)
        call.world.run(for: .seconds(8))
        #expect(call.loss(over: .seconds(10)) < 0.005)
        #expect((80...300).contains(call.rate(of: call.streams[0], over: 10)))
        let state = try #require(try call.bandwidth())
        #expect((100_000...330_000).contains(state.estimate))
        // Its client learns why.
        let reasons = call.viewer.events.compactMap { event -> LayerReason? in
            if case .consumerLayersChanged(_, _, let reason) = event { reason } else { nil }
        }
        #expect(reasons.contains { $0 == .budget || $0 == .hold }, "\(reasons)")
    }

    @Test func `data leave a narrow link to pictures, and have a part of it`() throws {
        let call = try Call(tracks: 1, rate: 600_000)
        let handle = call.world.server.handle
        call.world.run(for: .seconds(8))
        let alone = call.rate(of: call.streams[0], over: 5)
        let producer = try handle.openDirectDataProducer()
        _ = try handle.openDataConsumer(DataConsumerSettings(stream: 0), of: producer, on: call.viewer.transport)
        call.viewer.peer.connectData()
        call.world.run(for: .seconds(1))
        for _ in 0..<100 {
            try handle.sendData(DataMessage(binary: [UInt8](repeating: 1, count: 16_384)), of: producer)
        }
        call.world.run(for: .seconds(20))
        let beside = call.rate(of: call.streams[0], over: 10)
        let received = call.viewer.peer.data?.received.count ?? 0
        print("video alone \(alone) kb/s, beside data \(beside) kb/s; data \(received * 16_384 * 8 / 20_000) kb/s")
        #expect(beside * 2 > alone)
        // A tenth of the link for 20 s is 150,000 bytes.
        #expect(received >= 6)
    }

    @Test func `a viewer is sent no more than is allowed, and the reason is known`() throws {
        let call = try Call(tracks: 2, rate: 20_000_000, limits: BitrateLimits(maximum: 500_000))
        call.world.run(for: .seconds(20))
        let (first, second) = (call.rate(of: call.streams[0], over: 5), call.rate(of: call.streams[1], over: 5))
        #expect((200...520).contains(first + second))
        let state = try #require(try call.bandwidth())
        #expect(state.estimate == 500_000 && state.cause == .maxOutgoing)
    }

    @Test func `limits that are set while a call goes on hold at once, and are lifted as soon`() throws {
        let call = try Call(tracks: 2, rate: 20_000_000)
        let handle = call.world.server.handle
        func rate() -> Int { call.rate(of: call.streams[0], over: 5) + call.rate(of: call.streams[1], over: 5) }
        call.world.run(for: .seconds(10))
        #expect(rate() > 800)
        try handle.setBitrateLimits(of: call.viewer.transport, BitrateLimits(maximum: 500_000), incoming: nil)
        call.world.run(for: .seconds(6))
        #expect((200...520).contains(rate()))
        #expect(try call.bandwidth()?.cause == .maxOutgoing)
        try handle.setBitrateLimits(of: call.viewer.transport, BitrateLimits(), incoming: nil)
        call.world.run(for: .seconds(12))
        #expect(rate() > 800)
        // A network is believed to carry what an operator says, until that is taken back.
        call.setLink(rate: 300_000)
        try handle.setBitrateLimits(of: call.viewer.transport, BitrateLimits(minimum: 600_000), incoming: nil)
        call.world.run(for: .seconds(8))
        #expect(try call.bandwidth()?.estimate == 600_000)
        call.viewer.leave()
        try handle.setBitrateLimits(of: call.viewer.transport, BitrateLimits(), incoming: 1)
        call.world.run(for: .seconds(1))
    }

    @Test func `a viewer behind a wide link gets everything, and no filler`() throws {
        let call = try Call(tracks: 1, rate: 20_000_000)
        call.world.run(for: .seconds(8))
        #expect(call.loss(over: .seconds(10)) == 0)
        #expect(call.rate(of: call.streams[0], over: 10) > 400)
        try call.viewer.collectStatistics()
        call.world.run(for: .milliseconds(50))
        let consumer = try #require(call.viewer.statistics?.consumers.first)
        #expect(consumer.reason == .wanted && consumer.nextStep == 0)
    }

    /// The source's clocks are not tied to each other yet, and the larger picture is the one that a decoder could begin
    /// with: it goes on as it is, until something else can follow it.
    @Test(arguments: [1, 2]) func `a picture that happened to come first is sent whole from the beginning`(
        shards: Int
    ) throws {
        let world = try VirtualWorld(shards: shards)
        let publisher = try world.join()
        let viewer = try world.join(limits: BitrateLimits())
        viewer.peer.givesFeedback = true
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(
            .video, rids: ["l", "m", "h"], layered: LayeredVideo(temporalLayers: 3))
        track.silentEncodings = [0, 2]
        track.unreportedEncodings = [0, 1, 2]
        try publisher.publish(track)
        let stream = try viewer.subscribe(to: track)
        stream.keepsLog = true
        world.run(for: .milliseconds(200))
        #expect(!stream.log.isEmpty)
        track.silentEncodings = []
        world.run(for: .milliseconds(800))
        track.unreportedEncodings = []
        world.run(for: .seconds(5))
        let times = stream.log.map(\.at)
        let longest = zip(times, times.dropFirst()).map { $1 - $0 }.max()
        #expect(try #require(longest) < .milliseconds(90))
    }

    /// The first takes all that may be sent at once.
    @Test func `a viewer of several pictures begins each with what is kept of it`() throws {
        let world = try VirtualWorld()
        let publisher = try world.join()
        let viewer = try world.join(limits: BitrateLimits())
        viewer.peer.givesFeedback = true
        #expect(world.connectAll())
        let tracks = (0..<3).map { _ in publisher.peer.addTrack(.video) }
        for track in tracks {
            track.answersKeyFrameRequests = false
            (track.video.packetSize, track.video.packetsPerFrame) = (40, 3)
            try publisher.publish(track)
        }
        world.run(for: .seconds(1))
        let streams = try tracks.map { try viewer.subscribe(to: $0) }
        world.run(for: .seconds(5))
        #expect(streams.allSatisfy { $0.packets > 100 }, "\(streams.map(\.packets))")
    }

    @Test func `a viewer is sent what its link carries and what it wants, once a second at most`() throws {
        let call = try Call(tracks: 1, rate: 300_000)
        func reports() -> [BandwidthReport] {
            call.viewer.events.compactMap { if case .bandwidthReported(_, let report) = $0 { report } else { nil } }
        }
        call.world.run(for: .seconds(12))
        let first = reports()
        #expect((2...12).contains(first.count))
        let narrow = try #require(first.last)
        #expect(narrow.available < 330_000 && narrow.desired > 400_000 && narrow.allocated < 330_000)
        call.setLink(rate: 3_000_000)
        call.world.run(for: .seconds(20))
        let wide = try #require(reports().last)
        #expect(wide.available >= wide.desired && wide.allocated == wide.desired)
        let count = reports().count
        #expect(count - first.count <= 20)
        // Nothing is news that stays as it is.
        call.world.run(for: .seconds(20))
        #expect(reports().count - count <= 4)
    }

    @Test func `a shard that goes on elsewhere knows the link as before`() throws {
        let call = try Call(tracks: 1, rate: 300_000)
        call.world.run(for: .seconds(12))
        let before = try #require(try call.bandwidth())
        let layers = call.world.server.withShard(0) { shard in
            shard.bandwidths.slots.flatMap { shard.bandwidths[$0].allocator.shares.map(\.target) }
        }
        try call.world.server.replaceShard(0, at: call.world.now)
        let restored = call.world.server.withShard(0) { shard in
            shard.bandwidths.slots.flatMap { shard.bandwidths[$0].allocator.shares.map(\.target) }
        }
        #expect(restored == layers && layers.count == 1)
        #expect(call.loss(over: .seconds(8)) < 0.005)
        #expect((80...300).contains(call.rate(of: call.streams[0], over: 6)))
        let after = try #require(try call.bandwidth())
        #expect((before.estimate * 8 / 10...before.estimate * 12 / 10).contains(after.estimate))
    }

    @Test func `a link that gets narrow and wide again is followed both ways`() throws {
        let call = try Call(tracks: 1, rate: 3_000_000)
        call.world.run(for: .seconds(8))
        #expect(call.rate(of: call.streams[0], over: 4) > 400)
        call.setLink(rate: 250_000)
        call.world.run(for: .seconds(3))
        #expect(call.loss(over: .seconds(8)) < 0.01)
        call.setLink(rate: 3_000_000)
        call.world.run(for: .seconds(20))
        #expect(call.rate(of: call.streams[0], over: 4) > 400)
    }

    @Test func `where not everything fits, the more important picture gets more`() throws {
        let call = try Call(tracks: 3, rate: 900_000)
        let important = try #require(call.streams.last?.consumer)
        try call.viewer.handle.setConsumerPriority(important, 20)
        call.world.run(for: .seconds(30))
        let rates = call.streams.map { call.rate(of: $0, over: 10) }
        #expect(rates[2] > 400, "\(rates)")
        #expect(rates[0] < 350 && rates[1] < 350, "\(rates)")
        #expect(rates.allSatisfy { $0 > 50 }, "\(rates)")
    }

    @Test func `a priority that was given before the link was watched counts`() throws {
        var call = try Call(tracks: 1, rate: 900_000) { settings in
            settings.headerExtensions[.transportWideSequence] = 0
        }
        try call.viewer.handle.setConsumerPriority(try #require(call.streams[0].consumer), 20)
        call.world.run(for: .milliseconds(100))
        let isWatched = call.world.server.withShard(0) { $0.bandwidths.count }
        #expect(isWatched == 0)
        call.streams.append(try call.viewer.subscribe(to: call.tracks[0]))
        call.world.run(for: .milliseconds(100))
        let priorities = call.world.server.withShard(0) { shard in
            shard.transports.slots.compactMap { shard.transports[$0].bandwidth }
                .flatMap { shard.bandwidths[$0].allocator.shares.map(\.priority) }
        }
        #expect(priorities == [20, 1])
    }

    @Test func `a picture of which nothing fits is paused, and comes back when the link allows`() throws {
        let call = try Call(tracks: 4, rate: 300_000)
        call.world.run(for: .seconds(20))
        let rates = call.streams.map { call.rate(of: $0, over: 5) }
        #expect(rates.contains(0) && rates.contains { $0 > 50 }, "\(rates)")
        call.setLink(rate: 5_000_000)
        call.world.run(for: .seconds(60))
        let later = call.streams.map { call.rate(of: $0, over: 5) }
        #expect(later.allSatisfy { $0 > 400 }, "\(later)")
    }

    @Test(arguments: [true, false])
    func `a viewer without sound gets the only picture, though it costs more than the start`(
        givesFeedback: Bool
    ) throws {
        let world = try VirtualWorld()
        let publisher = try world.join()
        let track = publisher.peer.addTrack(.video)
        track.video.packetSize = 1100
        track.video.packetsPerFrame = 10
        let viewer = try world.join(limits: BitrateLimits(start: 600_000))
        viewer.peer.givesFeedback = givesFeedback
        #expect(world.connectAll())
        try publisher.publish(track)
        world.run(for: .seconds(3))
        let stream = try viewer.subscribe(to: track)
        world.run(for: .seconds(5))
        stream.reset()
        world.run(for: .seconds(5))
        #expect(stream.packets > 1400)
    }

    @Test func `a viewer who says nothing of what arrives is sent everything`() throws {
        let call = try Call(tracks: 1, rate: 20_000_000)
        call.viewer.peer.givesFeedback = false
        call.world.run(for: .seconds(8))
        #expect(call.rate(of: call.streams[0], over: 4) > 400)
        #expect(try call.bandwidth() == nil)
    }

    @Test func `feedback of what was never sent changes nothing for anybody`() throws {
        let call = try Call(tracks: 1, rate: 20_000_000)
        call.world.run(for: .seconds(5))
        let peer = call.viewer.peer
        var random = SplitMix(seed: 7)
        for round in 0..<500 {
            let arrivals = (0..<Int.random(in: 1...300, using: &random)).map { _ -> TransportWideArrival in
                .received(delta: Int16.random(in: .min ... .max, using: &random))
            }
            peer.sendRTCP { (writer) throws(WireError) in
                try TransportWideFeedback.write(
                    senderSSRC: peer.reportSSRC, mediaSSRC: SSRC(0),
                    baseSequence: SequenceNumber(UInt16.random(in: 0...UInt16.max, using: &random)),
                    referenceTime: Int32.random(in: -8_388_608...8_388_607, using: &random),
                    feedbackCount: UInt8(truncatingIfNeeded: round), arrivals: arrivals, into: &writer)
            }
            call.world.run(for: .milliseconds(10))
        }
        call.world.run(for: .seconds(30))
        #expect(call.rate(of: call.streams[0], over: 4) > 200)
    }
}
