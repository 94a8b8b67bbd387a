import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Half a success that looks like one")
struct ReceptionWarningTests {
    private func raised(_ events: [MediaEvent]) -> [TransportWarning] {
        events.compactMap { if case .warningRaised(_, let warning) = $0 { warning } else { nil } }
    }

    private func cleared(_ events: [MediaEvent]) -> [TransportWarning.Kind] {
        events.compactMap { if case .warningCleared(_, let kind) = $0 { kind } else { nil } }
    }

    /// A member that publishes sound and pictures; nobody has to watch.
    private func publisher(
        _ change: (PublishedTrack) -> Void = { _ in }
    ) throws -> (world: VirtualWorld, member: VirtualMember, tracks: [PublishedTrack]) {
        let world = try VirtualWorld()
        let member = try world.join()
        #expect(world.connectAll())
        let tracks = [MediaKind.audio, .video].map { member.peer.addTrack($0) }
        for track in tracks {
            change(track)
            try member.publish(track)
        }
        return (world, member, tracks)
    }

    @Test func `a call that works is none, whether it sends, is paused or falls silent`() throws {
        let (world, member, tracks) = try publisher()
        world.run(for: .seconds(12))
        for track in tracks {
            if let producer = track.producer { try member.handle.setProducerPaused(producer, true) }
        }
        world.run(for: .seconds(12))
        for track in tracks {
            if let producer = track.producer { try member.handle.setProducerPaused(producer, false) }
        }
        world.run(for: .seconds(12))
        for track in tracks { track.isSending = false }
        world.run(for: .seconds(12))
        #expect(raised(member.events) == [])
    }

    @Test func `packets that match nothing are one warning, which is over when they do`() throws {
        let (world, member, tracks) = try publisher { track in
            track.extensions = HeaderExtensionIDs()
            // The server is given other SSRCs than are sent.
            if track.kind == .video { track.announcesSSRCs = true }
        }
        let video = tracks[1]
        member.peer.changeSSRC(of: video, encoding: 0)
        world.run(for: .milliseconds(4900))
        #expect(raised(member.events) == [])
        world.run(for: .seconds(20))
        let warning = try #require(raised(member.events).first)
        #expect(raised(member.events).count == 1)
        #expect(warning.kind == .unmatchedPackets)
        #expect(warning.ssrc == video.encodings[0].ssrc && warning.payloadType == ClientCodecs.vp8)
        // Three packets a frame, thirty frames a second, for five seconds.
        #expect((400...460).contains(warning.packets))
        #expect(cleared(member.events) == [])
        video.extensions = ClientCodecs.extensions
        if let producer = video.producer { member.handle.closeProducer(producer) }
        try member.publish(video)
        world.run(for: .seconds(3))
        #expect(cleared(member.events) == [.unmatchedPackets])
        world.run(for: .seconds(12))
        #expect(raised(member.events).count == 1)
    }

    @Test func `a client that connects and sends nothing is one warning, until it sends`() throws {
        let (world, member, tracks) = try publisher { $0.isSending = false }
        world.run(for: .seconds(20))
        #expect(raised(member.events).map(\.kind) == [.nothingReceived])
        for track in tracks { track.isSending = true }
        world.run(for: .seconds(2))
        #expect(cleared(member.events) == [.nothingReceived])
        world.run(for: .seconds(12))
        #expect(raised(member.events).count == 1)
    }

    @Test func `a client that never connects is not said to send nothing`() throws {
        let world = try VirtualWorld()
        let member = try world.join(connects: false)
        try member.publish(member.peer.addTrack(.audio))
        world.run(for: .seconds(20))
        #expect(raised(member.events) == [])
    }

    @Test func `an unknown payload type is noticed, and no longer once its producer closes`() throws {
        let (world, member, tracks) = try publisher()
        world.run(for: .seconds(1))
        if let producer = tracks[0].producer { member.handle.closeProducer(producer) }
        try member.publish(tracks[0]) { $0.codecs[0].payloadType = 99 }
        world.run(for: .seconds(6))
        #expect(raised(member.events).map(\.kind) == [.unknownPayloadType])
        #expect(raised(member.events).first?.payloadType == ClientCodecs.opus)
        if let producer = tracks[0].producer { member.handle.closeProducer(producer) }
        world.run(for: .seconds(2))
        #expect(cleared(member.events) == [.unknownPayloadType])
    }

    @Test func `pictures that nobody can begin to see are noticed, on a plain transport too`() throws {
        let world = try VirtualWorld()
        let client = try PlainClient(in: world)
        _ = try client.produce(.video, ssrc: SSRC(5))
        for number in UInt64(1)..<300 {
            client.send(client.packet(.video, ssrc: SSRC(5), number: number, isKeyFrame: false))
            world.run(for: .milliseconds(40))
        }
        #expect(raised(client.events).map(\.kind) == [.noKeyFrame])
        client.send(client.packet(.video, ssrc: SSRC(5), number: 300))
        world.run(for: .seconds(2))
        #expect(cleared(client.events) == [.noKeyFrame])
    }

    @Test func `a sender that was restarted at another port is not just silence`() throws {
        let world = try VirtualWorld()
        let client = try PlainClient(in: world, keepsAddress: true)
        _ = try client.produce(.audio, ssrc: SSRC(5))
        func send(_ numbers: Range<UInt64>, from source: IPAddressPort) {
            for number in numbers {
                client.send(client.packet(.audio, ssrc: SSRC(5), number: number), from: source)
                world.run(for: .milliseconds(20))
            }
        }
        send(1..<100, from: client.address)
        let other = client.address.withPort(9)
        send(100..<700, from: other)
        #expect(raised(client.events).map(\.kind) == [.foreignPackets])
        send(700..<800, from: client.address)
        #expect(cleared(client.events) == [.foreignPackets])
    }

    @Test func `packets that fill their link are reported once, of plain transports only`() throws {
        let world = try VirtualWorld()
        let client = try PlainClient(in: world)
        _ = try client.produce(.audio, ssrc: SSRC(5))
        for number in UInt64(1)..<4 {
            let packet = client.packet(.audio, ssrc: SSRC(5), number: number)
            client.send(packet + [UInt8](repeating: 0, count: 1200 - packet.count))
        }
        world.run(for: .milliseconds(10))
        #expect(raised(client.events).isEmpty)
        for number in UInt64(4)..<8 {
            let packet = client.packet(.audio, ssrc: SSRC(5), number: number)
            client.send(packet + [UInt8](repeating: 0, count: 1201 - packet.count))
        }
        world.run(for: .milliseconds(10))
        #expect(raised(client.events) == [TransportWarning(.largePackets)])
    }

    @Test func `media that may not be sent to the learned address is reported with the address`() throws {
        let world = try VirtualWorld()
        let member = try world.join()
        #expect(world.connectAll())
        let track = member.peer.addTrack(.video)
        try member.publish(track)
        let client = try PlainClient(in: world, destinations: PlainDestinations(ranges: []))
        try client.consume(track, ssrc: SSRC(77))
        client.send(client.packet(.audio, ssrc: SSRC(9), number: 1))
        world.run(for: .seconds(2))
        #expect(
            raised(client.events) == [
                TransportWarning(.destinationNotAllowed, remoteAddress: client.address.addressText)
            ])
    }
}
