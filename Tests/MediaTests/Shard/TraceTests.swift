import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Traces")
struct TraceTests {
    private func traces(_ member: VirtualMember) -> [TraceEvent] {
        member.events.compactMap { if case .trace(let event) = $0 { event } else { nil } }
    }

    @Test func `a producer's packets and requests are traced by kind, and only while asked for`() throws {
        let (world, publisher, viewer, track, stream) = try makeCall(shards: 1)
        world.run(for: .seconds(2))
        #expect(traces(publisher) == [])
        let producer = try #require(track.producer)
        try publisher.handle.traceProducer(producer, [.rtp, .keyFrame, .pli, .sr])
        let before = track.encodings[0].packetsSent
        let keyFrames = track.encodings[0].keyFramesSent
        viewer.peer.sendPLI(of: stream)
        world.run(for: .seconds(3))
        try publisher.handle.traceProducer(producer, [])
        let after = track.encodings[0].packetsSent
        world.run(for: .seconds(1))
        let events = traces(publisher)
        #expect(events.allSatisfy { $0.subject == .producer(producer) && $0.ssrc == track.encodings[0].ssrc })
        let rtp = events.filter { $0.kind == .rtp }
        let keys = events.filter { $0.kind == .keyFrame }
        // A key frame's first packet is traced once, as what it is.
        #expect(keys.count == track.encodings[0].keyFramesSent - keyFrames && keys.count == 1)
        #expect(abs(rtp.count + keys.count - Int(after - before)) <= 3)
        #expect((rtp + keys).allSatisfy { $0.isIncoming && $0.payloadType == ClientCodecs.vp8 && $0.size > 400 })
        #expect(events.filter { $0.kind == .pli }.map(\.isIncoming) == [false])
        #expect((2...4).contains(events.count { $0.kind == .sr && $0.isIncoming }))
        #expect(events.allSatisfy { [.rtp, .keyFrame, .pli, .sr].contains($0.kind) })
    }

    @Test func `a video's orientation is reported once and when it changes, but not in floods`() throws {
        let world = try VirtualWorld()
        let publisher = try world.join()
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video)
        let (key, _) = try publisher.publish(track)
        func told() -> [VideoOrientation] {
            publisher.events.compactMap { event in
                if case .videoOrientationChanged(key, let orientation) = event { orientation } else { nil }
            }
        }
        world.run(for: .seconds(1))
        #expect(told() == [])
        track.orientation = 0
        world.run(for: .seconds(1))
        let upright = VideoOrientation(camera: false, flip: false, rotation: 0)
        #expect(told() == [upright])
        // The upper bits mean nothing.
        track.orientation = 0xFB
        world.run(for: .seconds(1))
        #expect(told() == [upright, VideoOrientation(camera: true, flip: false, rotation: 270)])
        for number in 0..<300 {
            track.orientation = UInt8(number % 16)
            world.run(for: .milliseconds(10))
        }
        #expect((10...35).contains(told().count))
        track.orientation = 0x05
        world.run(for: .seconds(1))
        #expect(told().last == VideoOrientation(camera: false, flip: true, rotation: 90))
    }

    @Test func `a consumer's packets, repairs and requests are traced`() throws {
        let (world, _, viewer, _, stream) = try makeCall(shards: 2)
        world.run(for: .seconds(2))
        let consumer = try #require(stream.consumer)
        try viewer.handle.traceConsumer(consumer, [.rtp, .nack, .pli, .fir])
        var lossy = LinkConditions()
        lossy.loss = 0.1
        world.network.setConditions(lossy, to: viewer.peer.localAddress)
        world.run(for: .seconds(3))
        viewer.peer.sendPLI(of: stream)
        viewer.peer.sendRTCP { (writer) throws(WireError) in
            try FullIntraRequest.write(
                senderSSRC: SSRC(1), items: [FullIntraRequestItem(ssrc: stream.ssrc, sequenceNumber: 1)], into: &writer)
        }
        world.run(for: .milliseconds(20))
        let events = traces(viewer)
        #expect(events.allSatisfy { $0.subject == .consumer(consumer) && $0.ssrc == stream.ssrc })
        #expect(events.count { $0.kind == .pli && $0.isIncoming } == 1)
        #expect(events.count { $0.kind == .fir && $0.isIncoming } == 1)
        #expect(events.count { $0.kind == .nack && $0.isIncoming } > 5)
        let rtp = events.filter { $0.kind == .rtp }
        #expect(rtp.count > 200 && rtp.allSatisfy { !$0.isIncoming })
        #expect(rtp.count { $0.isRTX } > 10)
    }

    @Test func `more traces than a transport may report in a second are dropped and counted`() throws {
        let (world, publisher, _, track, _) = try makeCall(shards: 1)
        track.video.framesPerSecond = 100
        track.video.packetsPerFrame = 20
        world.run(for: .seconds(2))
        let before = traces(publisher).count
        try publisher.handle.traceProducer(try #require(track.producer), [.rtp])
        // The room reads all the time.
        var told = 0
        for _ in 0..<200 {
            world.run(for: .milliseconds(10))
            told = traces(publisher).count - before
        }
        #expect((1900...3000).contains(told))
        #expect(world.server.value(.traceEventsDropped) > 900)
    }
}
