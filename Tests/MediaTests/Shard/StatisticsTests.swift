import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Statistics of the shard")
struct ShardStatisticsTests {
    @Test func `bytes and bitrates are reported by kind, and loss by direction`() throws {
        let world = try VirtualWorld()
        let publisher = try world.join()
        let viewer = try world.join()
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video)
        try publisher.publish(track)
        let stream = try viewer.subscribe(to: track)
        world.run(for: .seconds(3))
        var lossy = LinkConditions()
        lossy.loss = 0.1
        world.network.setConditions(lossy, from: publisher.peer.localAddress)
        world.network.setConditions(lossy, to: viewer.peer.localAddress)
        world.run(for: .seconds(10))
        try publisher.collectStatistics()
        try viewer.collectStatistics()
        world.run(for: .milliseconds(10))
        let received = try #require(publisher.statistics)
        let sent = try #require(viewer.statistics)
        // 30 frames of three packets a second: about 400 kb/s.
        let rate: ClosedRange<UInt64> = 250_000...600_000
        #expect(rate.contains(received.bitrates.rtpReceived) && rate.contains(sent.bitrates.rtpSent))
        #expect(received.bitrates.received > received.bitrates.rtpReceived + received.bitrates.rtxReceived)
        #expect(sent.bitrates.sent > sent.bitrates.rtpSent + sent.bitrates.rtxSent)
        #expect(received.bytes.rtxReceived > 10_000 && received.bitrates.rtxReceived > 5_000)
        #expect(sent.bytes.rtxSent > 10_000 && sent.bitrates.rtxSent > 5_000)
        #expect(received.bytes.rtpSent == 0 && sent.bytes.rtpReceived == 0 && sent.bytes.probationSent == 0)
        #expect(received.bytes.received > received.bytes.rtpReceived + received.bytes.rtxReceived)
        let loss = try #require(received.packetLossReceived)
        #expect((0.03...0.2).contains(loss))
        #expect(received.packetLossSent == nil)
        let inbound = try #require(received.producers.first?.streams.first)
        #expect(inbound.score.map { $0 <= 10 } == true && inbound.rtxPacketsDiscarded != nil)
        #expect(inbound.layerBitrates == [])
        let outbound = try #require(sent.consumers.first)
        #expect(outbound.encoding == 0 && outbound.packetsRepaired > 10)
        #expect(outbound.packetsRetransmitted >= outbound.packetsRepaired)
        #expect(stream.faults == [])
    }

    @Test func `what the client's transport-wide feedback misses is the loss of what was sent`() throws {
        let (world, _, viewer, _, _) = try makeCall(shards: 1)
        world.run(for: .seconds(1))
        viewer.peer.sendRTCP { (writer) throws(WireError) in
            try TransportWideFeedback.write(
                senderSSRC: SSRC(1), mediaSSRC: SSRC(2), baseSequence: SequenceNumber(0), referenceTime: 1,
                feedbackCount: 0, arrivals: [.received(delta: 4), .notReceived, .received(delta: 4), .notReceived],
                into: &writer)
        }
        world.run(for: .milliseconds(10))
        try viewer.collectStatistics()
        world.run(for: .milliseconds(10))
        #expect(viewer.statistics?.packetLossSent == 0.5)
    }

    @Test func `a consumer of simulcast names the encoding it forwards, and layers have their bitrates`() throws {
        let world = try VirtualWorld(shards: 2)
        let publisher = try world.join()
        let viewer = try world.join()
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video, rids: ["lo", "hi"])
        try publisher.publish(track) { $0.scalability.temporalLayers = 3 }
        _ = try viewer.subscribe(to: track)
        world.run(for: .seconds(8))
        try publisher.collectStatistics()
        try viewer.collectStatistics()
        world.run(for: .milliseconds(10))
        let streams = try #require(publisher.statistics?.producers.first?.streams)
        #expect(streams.map(\.encoding) == [0, 1] && streams.map(\.rid) == ["lo", "hi"])
        for stream in streams {
            #expect(stream.layerBitrates.contains { $0.layers == ConsumerLayers(spatial: 0, temporal: 0) })
            #expect(stream.layerBitrates.allSatisfy { $0.bitrate > 10_000 })
        }
        let encoding = try #require(viewer.statistics?.consumers.first?.encoding)
        #expect((0...1).contains(encoding))
    }

    @Test func `a bitrate is over the last one to two seconds, whenever it is asked for`() {
        func at(_ milliseconds: Int) -> MediaInstant {
            MediaInstant(nanoseconds: 5_000_000_000) + .milliseconds(milliseconds)
        }
        var sampler = TrafficSampler(at: at(0))
        var bytes = TransportTraffic()
        #expect(sampler.bitrates(bytes, at: at(0)) == TransportTraffic())
        for step in 1...50 {
            bytes.sent += 1000
            sampler.sample(bytes, at: at(step * 100))
        }
        #expect(sampler.bitrates(bytes, at: at(5000)).sent == 80_000)
        for step in 51...80 { sampler.sample(bytes, at: at(step * 100)) }
        #expect(sampler.bitrates(bytes, at: at(8000)).sent == 0)
    }

    @Test func `loss is averaged over 24 feedback packets, the newest counting most`() {
        var history = PacketLossHistory()
        #expect(history.value == nil)
        history.add(lost: 0, of: 0)
        #expect(history.value == nil)
        history.add(lost: 5, of: 10)
        #expect(history.value == 0.5)
        history.add(lost: 0, of: 10)
        // Weights 1 and 2.
        #expect(history.value.map { abs($0 - 0.5 / 3) < 1e-9 } == true)
        for _ in 0..<24 { history.add(lost: 1, of: 4) }
        #expect(history.value == 0.25)
        history.add(lost: 9, of: 4)
        #expect(history.value.map { $0 > 0.25 && $0 < 0.4 } == true)
    }
}
