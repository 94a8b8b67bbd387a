import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Streams whose SSRC nobody announced")
struct StreamLearningTests {
    private func call() throws -> (world: VirtualWorld, publisher: VirtualMember, viewer: VirtualMember) {
        let world = try VirtualWorld()
        let publisher = try world.join()
        let viewer = try world.join()
        #expect(world.connectAll())
        return (world, publisher, viewer)
    }

    /// A track of a client that announces no SSRC and negotiated no header extension.
    private func bareTrack(of peer: VirtualPeer, _ kind: MediaKind, usesRTX: Bool = true) -> PublishedTrack {
        let track = peer.addTrack(kind, usesRTX: usesRTX)
        track.announcesSSRCs = false
        track.extensions = HeaderExtensionIDs()
        return track
    }

    // ossrs/srs#4570: an offer without a=ssrc and without extensions, distinguished by payload type (RFC 9143 §9.2).
    @Test func `streams without SSRC and MID belong to the producer that alone has their payload type`() throws {
        let (world, publisher, viewer) = try call()
        let tracks = [MediaKind.audio, .video].map { bareTrack(of: publisher.peer, $0) }
        for track in tracks { try publisher.publish(track) }
        let streams = try tracks.map { try viewer.subscribe(to: $0) }
        world.run(for: .seconds(1))
        for (track, stream) in zip(tracks, streams) {
            #expect(track.encodings[0].packetsSent >= 50)
            #expect(stream.main?.ratio == 1)
            // The last packets may be on their way.
            #expect(stream.packets + 3 >= Int(track.encodings[0].packetsSent))
            #expect(stream.faults == [])
        }
        #expect(world.server.value(.unknownSSRC) == 0)
    }

    @Test func `their retransmissions are known by payload type too`() throws {
        let (world, publisher, viewer) = try call()
        let track = bareTrack(of: publisher.peer, .video)
        try publisher.publish(track)
        let stream = try viewer.subscribe(to: track)
        world.run(for: .milliseconds(500))
        world.network.setConditions(.lossy(0.05), from: publisher.peer.localAddress)
        world.run(for: .seconds(3))
        world.network.setConditions(LinkConditions(), from: publisher.peer.localAddress)
        world.run(for: .seconds(1))
        #expect(track.encodings[0].packetsRetransmitted > 5)
        try publisher.collectStatistics()
        world.run(for: .milliseconds(10))
        let received = try #require(publisher.statistics?.producers.first?.streams.first)
        #expect(received.packetsRepaired > 5)
        #expect(received.rtxSSRC == track.encodings[0].rtxSSRC)
        #expect(world.server.value(.unknownSSRC) == 0)
        #expect(stream.main?.ratio == 1)
    }

    @Test func `a payload type of two producers says nothing`() throws {
        let (world, publisher, viewer) = try call()
        let tracks = (0..<2).map { _ in bareTrack(of: publisher.peer, .video) }
        for track in tracks { try publisher.publish(track) }
        let streams = try tracks.map { try viewer.subscribe(to: $0) }
        world.run(for: .seconds(1))
        #expect(streams.map(\.packets) == [0, 0])
        #expect(world.server.value(.unknownSSRC) > 100)
    }

    @Test func `a restarted encoder is followed once the old stream has been silent for a second`() throws {
        let (world, publisher, viewer) = try call()
        let track = bareTrack(of: publisher.peer, .video)
        try publisher.publish(track)
        let stream = try viewer.subscribe(to: track)
        world.run(for: .seconds(1))
        let next = publisher.peer.changeSSRC(of: track, encoding: 0)
        world.run(for: .milliseconds(900))
        #expect(stream.delivered[next.contentStream] == nil)
        world.run(for: .milliseconds(1500))
        #expect((stream.delivered[next.contentStream]?.count ?? 0) > 90)
        #expect(world.server.value(.streamsTakenOver) == 0)
    }

    // webrtc-rs/rtc#13: ssrc 1234 announced, 50 packets of 4321 with the producer's MID: 0 of 50 were forwarded.
    @Test func `the MID says whose a stream is, whatever SSRC was announced`() throws {
        let (world, publisher, viewer) = try call()
        let track = publisher.peer.addTrack(.audio)
        try publisher.publish(track) { $0.encodings[0].ssrc = SSRC(1234) }
        let stream = try viewer.subscribe(to: track)
        world.run(for: .seconds(1))
        #expect(track.encodings[0].packetsSent >= 50)
        #expect(stream.main?.ratio == 1)
        #expect(stream.packets + 3 >= Int(track.encodings[0].packetsSent))
        #expect(world.server.value(.streamsTakenOver) == 1)
        #expect(world.server.value(.streamConflict) == 0)
        #expect(world.server.value(.unknownSSRC) == 0)
    }

    @Test func `an announced stream that sends is not taken over, and one that went silent is, there and back`() throws
    {
        let (world, publisher, viewer) = try call()
        let track = publisher.peer.addTrack(.audio)
        try publisher.publish(track)
        let stream = try viewer.subscribe(to: track)
        world.run(for: .seconds(1))
        let announced = track.encodings[0]
        func send(_ number: UInt64) throws {
            try publisher.peer.sendRTP(
                payloadType: track.payloadType, ssrc: SSRC(99), index: number,
                payload: [UInt8](repeating: 0, count: 80),
                mid: track.mid)
        }
        try send(1)
        world.run(for: .milliseconds(100))
        #expect(world.server.value(.streamConflict) == 1)
        #expect(world.server.value(.streamsTakenOver) == 0)
        track.isSending = false
        world.run(for: .milliseconds(1100))
        let before = world.server.value(.packetsForwarded)
        for number in UInt64(2)..<52 {
            try send(number)
            world.run(for: .milliseconds(20))
        }
        #expect(world.server.value(.packetsForwarded) == before + 50)
        #expect(world.server.value(.streamsTakenOver) == 1)
        world.run(for: .milliseconds(1100))
        stream.reset()
        // The announced one needs no MID to come back.
        track.extensions = HeaderExtensionIDs()
        track.isSending = true
        world.run(for: .seconds(1))
        #expect((stream.delivered[announced.contentStream]?.count ?? 0) > 40)
        #expect(world.server.value(.streamsTakenOver) == 2)
    }

    // pion/webrtc#3417: A's MID is 4 and RID 10, B's MID 9 and RID 4. A's viewer got 0 of 25 packets.
    @Test func `each producer's packets are read with its own numbers for header extensions`() throws {
        let (world, publisher, viewer) = try call()
        let tracks = (0..<2).map { _ in publisher.peer.addTrack(.video, rids: ["x"], usesRTX: false) }
        (tracks[0].extensions[.mid], tracks[0].extensions[.rid]) = (4, 10)
        (tracks[1].extensions[.mid], tracks[1].extensions[.rid]) = (9, 4)
        for track in tracks { try publisher.publish(track) }
        let streams = try tracks.map { try viewer.subscribe(to: $0) }
        world.run(for: .seconds(1))
        for (track, stream) in zip(tracks, streams) {
            #expect(stream.delivered.keys.elementsEqual([track.encodings[0].contentStream]))
            #expect(stream.packets >= 25)
            #expect(stream.main?.ratio == 1)
        }
        #expect(world.server.value(.unknownSSRC) == 0)
    }

    @Test func `an SSRC that was only guessed goes to the producer that announces it`() throws {
        let (world, publisher, viewer) = try call()
        let first = bareTrack(of: publisher.peer, .video, usesRTX: false)
        let second = publisher.peer.addTrack(.video, usesRTX: false)
        second.extensions = HeaderExtensionIDs()
        first.isSending = false
        try publisher.publish(first)
        world.run(for: .milliseconds(200))
        try publisher.publish(second)
        let stream = try viewer.subscribe(to: second)
        world.run(for: .seconds(1))
        #expect(publisher.failures == [])
        #expect((stream.delivered[second.encodings[0].contentStream]?.count ?? 0) > 80)
    }
}
