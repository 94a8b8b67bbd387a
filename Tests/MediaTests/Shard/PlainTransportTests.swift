import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("Plain transports")
struct PlainTransportTests {
    private let audio = SSRC(1111)
    private let video = SSRC(2222)

    /// A plain client with a video producer, and a WebRTC member who watches it.
    private func broadcast(
        shards: Int = 1, isComedia: Bool = true, usesRTCPMux: Bool = false, keys: SRTPKeyingMaterial? = nil,
        change: (inout ProducerSettings) -> Void = { _ in }
    ) throws -> (world: VirtualWorld, client: PlainClient, viewer: VirtualMember, stream: SubscribedStream) {
        let world = try VirtualWorld(shards: shards)
        let viewer = try world.join()
        #expect(world.connectAll())
        let client = try PlainClient(in: world, isComedia: isComedia, usesRTCPMux: usesRTCPMux, keys: keys)
        let track = try client.produce(.video, ssrc: video, change: change)
        let stream = try viewer.subscribe(to: track)
        world.run(for: .milliseconds(10))
        return (world, client, viewer, stream)
    }

    private func sendVideo(_ client: PlainClient, _ numbers: Range<UInt64>) {
        for number in numbers {
            client.send(client.packet(.video, ssrc: video, number: number, isKeyFrame: number == numbers.lowerBound))
            client.world.run(for: .milliseconds(10))
        }
    }

    @Test(arguments: [1, 2]) func `a client's address is learned from its first packet, and its media goes on`(
        shards: Int
    ) throws {
        let (world, client, viewer, stream) = try broadcast(shards: shards)
        #expect(Set([client.transport.shard, viewer.transport.shard]).count == shards)
        sendVideo(client, 1..<101)
        #expect(stream.faults.filter { !$0.contains("MID") } == [])
        #expect(stream.packets == 100)
        #expect(stream.firstPacketIsKeyFrame == true)
        #expect(client.failures == [])
        let tuple = try #require(client.tuples.last?.rtp)
        #expect(tuple.remoteAddress == client.address.addressText)
        #expect(tuple.remotePort == client.address.port)
        #expect(tuple.localPort == client.endpoint.port)
        // Its RTCP has not been seen yet, so none can be sent.
        #expect(client.tuples.last?.rtcp?.remotePort == nil)
        #expect(client.takeRTCP().isEmpty)
        #expect(world.server.value(.foreignSource) == 0)
    }

    @Test func `RTCP has an address of its own, learned from the first report`() throws {
        let (world, client, _, _) = try broadcast()
        sendVideo(client, 1..<11)
        try client.sendReport(ssrc: video)
        world.run(for: .seconds(5))
        #expect(client.tuples.last?.rtcp?.remotePort == client.rtcpAddress.port)
        let types = client.takeRTCP()
        // Receiver reports with the time reference, on RTCP's socket only.
        #expect(types.contains { $0.type == 201 })
        #expect(types.contains { $0.type == 207 })
        #expect(client.takePackets().isEmpty)
        #expect(world.server.value(.unknownDatagram) == 0)
    }

    @Test func `with RTCP-mux both share a port`() throws {
        let (world, client, _, _) = try broadcast(usesRTCPMux: true)
        #expect(client.endpoint.rtcpPort == nil)
        sendVideo(client, 1..<11)
        try client.sendReport(ssrc: video)
        world.run(for: .seconds(5))
        #expect(client.tuples.count == 1)
        #expect(client.tuples.last?.rtcp == nil)
        #expect(client.takeRTCP().contains { $0.type == 201 })
    }

    @Test func `a report may come first, and shows RTCP's address only`() throws {
        let (world, client, _, stream) = try broadcast()
        try client.sendReport(ssrc: video)
        world.run(for: .milliseconds(10))
        #expect(client.tuples.last?.rtcp?.remotePort == client.rtcpAddress.port)
        #expect(client.tuples.last?.rtp.remotePort == nil)
        sendVideo(client, 1..<11)
        #expect(stream.packets == 10)
    }

    @Test func `a viewer for whom nothing is kept asks for a key frame, and begins with the next one`() throws {
        let (world, client, viewer, first) = try broadcast()
        try client.sendReport(ssrc: video)
        sendVideo(client, 1..<11)
        #expect(first.packets == 10)
        _ = client.takeRTCP()
        let producer = first.producer
        viewer.unsubscribe(first)
        // What was sent is too old to begin with.
        world.run(for: .seconds(30))
        _ = client.takeRTCP()
        let again = PublishedTrack(
            kind: .video, mid: "0", cname: "plain",
            encodings: [PublishedStream(ssrc: video, rtxSSRC: nil, rid: nil, firstSequence: 1, timestamp: 0)],
            usesRTX: false)
        again.producer = producer
        let second = try viewer.subscribe(to: again)
        for number in UInt64(11)..<41 {
            client.send(client.packet(.video, ssrc: video, number: number, isKeyFrame: number == 36))
            world.run(for: .milliseconds(40))
        }
        // PLI is payload feedback of format 1 (RFC 4585 §6.3.1).
        #expect(client.takeRTCP().contains { $0.type == 206 && $0.count == 1 })
        #expect(second.firstPacketIsKeyFrame == true)
        #expect(second.packets == 5)
    }

    @Test func `losses are asked for where the producer's codecs say so`() throws {
        for asks in [true, false] {
            let (world, client, _, _) = try broadcast { settings in
                settings.codecs[0].feedback = asks ? [.nack, .pictureLossIndication] : []
            }
            try client.sendReport(ssrc: video)
            sendVideo(client, 1..<11)
            sendVideo(client, 13..<20)
            world.run(for: .milliseconds(500))
            let types = client.takeRTCP()
            #expect(types.contains { $0.type == 205 && $0.count == 1 } == asks)
            #expect(asks || !types.contains { $0.type == 206 })
        }
    }

    @Test func `what comes from another address is dropped and counted`() throws {
        let (world, client, _, stream) = try broadcast()
        sendVideo(client, 1..<11)
        try client.sendReport(ssrc: video)
        world.run(for: .milliseconds(10))
        let stranger = world.makeAddress()
        for number in UInt64(11)..<21 {
            client.send(client.packet(.video, ssrc: video, number: number), from: stranger)
        }
        client.send(client.packet(.video, ssrc: video, number: 21), from: client.address.withPort(9))
        try client.sendReport(ssrc: video, from: stranger)
        world.run(for: .milliseconds(10))
        #expect(world.server.value(.foreignSource) == 12)
        #expect(stream.packets == 10)
        #expect(client.tuples.last?.rtp.remoteAddress == client.address.addressText)
    }

    @Test(arguments: [false, true]) func `a sender that is started again elsewhere is followed after two seconds`(
        usesRTCPMux: Bool
    ) throws {
        let (world, client, _, stream) = try broadcast(usesRTCPMux: usesRTCPMux)
        sendVideo(client, 1..<11)
        try client.sendReport(ssrc: video)
        let other = world.makeAddress()
        world.run(for: .milliseconds(1900))
        client.send(client.packet(.video, ssrc: video, number: 11), from: other)
        world.run(for: .milliseconds(50))
        #expect(stream.packets == 10 && world.server.value(.foreignSource) == 1)
        world.run(for: .milliseconds(100))
        // Nobody takes its place without a packet of its stream.
        client.send(client.packet(.video, ssrc: SSRC(9), number: 11), from: other)
        client.send([UInt8](repeating: 0x80, count: 40), from: other)
        client.send(client.packet(.video, ssrc: video, number: 11), from: client.address)
        world.run(for: .milliseconds(10))
        #expect(stream.packets == 11)
        world.run(for: .milliseconds(2000))
        for number in UInt64(12)..<22 {
            client.send(client.packet(.video, ssrc: video, number: number), from: other)
            world.run(for: .milliseconds(10))
        }
        #expect(stream.packets == 21)
        #expect(client.tuples.last?.rtp.remotePort == other.port)
        let reports = other.withPort(other.port + 1)
        try client.sendReport(ssrc: video, from: usesRTCPMux ? other : reports)
        world.run(for: .milliseconds(10))
        if !usesRTCPMux { #expect(client.tuples.last?.rtcp?.remotePort == reports.port) }
        // The old one is a stranger now.
        let before = world.server.value(.foreignSource)
        client.send(client.packet(.video, ssrc: video, number: 22), from: client.address)
        world.run(for: .milliseconds(10))
        #expect(stream.packets == 21 && world.server.value(.foreignSource) == before + 1)
    }

    @Test(arguments: [false, true]) func `nobody takes the place of a receiver, which is silent by its nature`(
        usesRTCPMux: Bool
    ) throws {
        let world = try VirtualWorld()
        let member = try world.join()
        #expect(world.connectAll())
        let track = member.peer.addTrack(.video)
        try member.publish(track)
        let client = try PlainClient(in: world, usesRTCPMux: usesRTCPMux)
        try client.consume(track, ssrc: SSRC(77))
        client.send(client.packet(.audio, ssrc: SSRC(9), number: 1))
        world.run(for: .seconds(60))
        let stranger = world.makeAddress()
        client.send(client.packet(.audio, ssrc: SSRC(9), number: 2), from: stranger)
        try client.sendReport(ssrc: SSRC(9), from: stranger, toRTP: usesRTCPMux)
        world.run(for: .milliseconds(10))
        #expect(world.server.value(.foreignSource) >= 1)
        #expect(client.tuples.last?.rtp.remotePort == client.address.port)
    }

    @Test func `a client that asked to keep its address keeps it`() throws {
        let world = try VirtualWorld()
        let client = try PlainClient(in: world, keepsAddress: true)
        _ = try client.produce(.video, ssrc: video)
        sendVideo(client, 1..<11)
        world.run(for: .seconds(60))
        client.send(client.packet(.video, ssrc: video, number: 11), from: world.makeAddress())
        world.run(for: .milliseconds(10))
        #expect(world.server.value(.foreignSource) == 1)
        #expect(client.tuples.last?.rtp.remotePort == client.address.port)
    }

    @Test func `with RTCP-mux, too, reports from another socket say nothing of where RTP comes from`() throws {
        let (world, client, _, stream) = try broadcast(usesRTCPMux: true)
        let reports = client.address.withPort(client.address.port + 1)
        try client.sendReport(ssrc: video, from: reports)
        world.run(for: .milliseconds(10))
        sendVideo(client, 1..<11)
        try client.sendReport(ssrc: video, from: reports)
        world.run(for: .milliseconds(10))
        #expect(stream.packets == 10)
        #expect(client.tuples.last?.rtp.remotePort == client.address.port)
        #expect(world.server.value(.foreignSource) == 0)
    }

    @Test func `only a packet of the producer's streams shows the client's address`() throws {
        let (world, client, _, stream) = try broadcast()
        let stranger = world.makeAddress()
        client.send(client.packet(.video, ssrc: SSRC(9), number: 1), from: stranger)
        try client.sendReport(ssrc: SSRC(9), from: stranger)
        client.send([0x80, 0x60, 0, 1, 0, 0, 0, 0, 0, 0, 0], from: stranger)
        client.send([UInt8](repeating: 0xFF, count: 100), from: stranger)
        // An extension that is longer than the packet.
        client.send([0x90, 0x60, 0, 1, 0, 0, 0, 0, 0, 0, 8, 0xAE, 0xBE, 0xDE, 0xFF, 0xFF], from: stranger)
        world.run(for: .milliseconds(10))
        #expect(client.tuples.isEmpty)
        #expect(world.server.value(.unknownSSRC) == 2)
        #expect(world.server.value(.unknownDatagram) == 2)
        #expect(world.server.value(.malformedRTP) == 1)
        sendVideo(client, 1..<11)
        #expect(stream.packets == 10)
    }

    @Test func `RTCP on RTP's port without RTCP-mux, and RTP on RTCP's, are dropped`() throws {
        let (world, client, _, _) = try broadcast()
        sendVideo(client, 1..<3)
        let before = world.server.value(.unknownDatagram)
        try client.sendReport(ssrc: video, toRTP: true)
        world.run(for: .milliseconds(10))
        let rtcp = world.server.addresses[0][0].withPort(try #require(client.endpoint.rtcpPort))
        world.inject(client.packet(.video, ssrc: video, number: 5), from: client.address, to: rtcp)
        world.inject([UInt8](repeating: 0, count: 3000), from: client.address, to: rtcp)
        world.run(for: .milliseconds(10))
        #expect(world.server.value(.unknownDatagram) == before + 2)
        #expect(world.server.value(.oversizedDatagram) == 1)
    }

    @Test func `without comedia nothing is accepted before the client has sent its address`() throws {
        let (world, client, _, stream) = try broadcast(isComedia: false)
        sendVideo(client, 1..<6)
        #expect(stream.packets == 0)
        #expect(world.server.value(.foreignSource) == 5)
        try client.connect()
        world.run(for: .milliseconds(10))
        #expect(client.tuples.last?.rtcp?.remotePort == client.rtcpAddress.port)
        sendVideo(client, 6..<16)
        #expect(stream.packets == 10)
        // The room tells an address once.
        try client.connect(rtcpPort: 7)
        world.run(for: .seconds(5))
        #expect(client.tuples.last?.rtcp?.remotePort == client.rtcpAddress.port)
        #expect(client.takeRTCP().contains { $0.type == 201 })
    }

    @Test(arguments: SRTPProfile.allCases) func `SRTP protects both directions`(profile: SRTPProfile) throws {
        func key(_ first: UInt8) -> SRTPMasterKey {
            SRTPMasterKey(
                key: (0..<UInt8(profile.keyLength)).map { first + $0 },
                salt: (0..<UInt8(profile.saltLength)).map { first + 50 + $0 })
        }
        let keys = SRTPKeyingMaterial(profile: profile, local: key(1), remote: key(100))
        let world = try VirtualWorld()
        let member = try world.join()
        #expect(world.connectAll())
        let client = try PlainClient(in: world, isComedia: false, keys: keys)
        let stream = try member.subscribe(to: try client.produce(.video, ssrc: video))
        let track = member.peer.addTrack(.audio)
        try member.publish(track)
        try client.consume(track, ssrc: SSRC(7))
        world.run(for: .milliseconds(10))
        client.send(client.packet(.video, ssrc: video, number: 1))
        try client.connect(key: keys.local)
        world.run(for: .milliseconds(10))
        sendVideo(client, 1..<51)
        try client.sendReport(ssrc: video)
        world.run(for: .seconds(5))
        #expect(stream.packets == 50)
        let packets = client.takePackets()
        #expect(packets.count > 200)
        #expect(packets.allSatisfy { $0[8..<12].elementsEqual([0, 0, 0, 7]) })
        let types = client.takeRTCP().map(\.type)
        #expect(types.contains(200))
        #expect(types.contains(201))
        // In the clear, or with another key, nothing passes.
        let before = world.server.value(.srtpAuthentication)
        let clear = client.packet(.video, ssrc: video, number: 60)
        world.inject(
            clear, from: client.address, to: world.server.addresses[0][0].withPort(client.endpoint.port))
        world.run(for: .milliseconds(10))
        #expect(world.server.value(.srtpAuthentication) == before + 1)
        #expect(stream.packets == 50)
        try client.collectStatistics()
        world.run(for: .milliseconds(10))
        #expect(client.statistics?.srtpProfile == profile.rawValue)
    }

    @Test func `with comedia and SRTP the key is signaled, and the address learned from what it opens`() throws {
        let profile = SRTPProfile.aes128CMHMACSHA1x80
        let mine = SRTPMasterKey(key: Array(1...16), salt: Array(1...14))
        let theirs = SRTPMasterKey(key: Array(21...36), salt: Array(21...34))
        let (world, client, _, stream) = try broadcast(
            keys: SRTPKeyingMaterial(profile: profile, local: mine, remote: theirs))
        sendVideo(client, 1..<3)
        #expect(world.server.value(.beforeHandshake) == 2)
        try world.server.handle.connectPlainTransport(client.transport, to: PlainRemote(key: mine))
        let stranger = world.makeAddress()
        world.inject(
            client.packet(.video, ssrc: video, number: 3), from: stranger,
            to: world.server.addresses[0][0].withPort(client.endpoint.port))
        world.run(for: .milliseconds(10))
        #expect(client.tuples.isEmpty)
        sendVideo(client, 4..<14)
        #expect(stream.packets == 10)
        #expect(client.tuples.last?.rtp.remoteAddress == client.address.addressText)
    }

    @Test func `a receiver gets plain RTP and sender reports at the address it asked for`() throws {
        let world = try VirtualWorld()
        let member = try world.join()
        #expect(world.connectAll())
        let track = member.peer.addTrack(.video)
        track.video.keyFrameInterval = 30
        try member.publish(track)
        let client = try PlainClient(in: world, isComedia: false)
        try client.consume(track, ssrc: SSRC(77))
        world.run(for: .milliseconds(500))
        #expect(client.takePackets().isEmpty)
        try client.connect()
        world.run(for: .seconds(3))
        let packets = client.takePackets()
        #expect(packets.count > 200)
        let numbers = packets.map { UInt16($0[2]) << 8 | UInt16($0[3]) }
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 &+ 1 })
        for packet in packets {
            let header = try packet.withUnsafeBytes { try RTPHeader(parsing: $0) }
            #expect(header.ssrc == SSRC(77))
            #expect(header.payloadType == ClientCodecs.routerVP8)
            let payload = packet[header.payload]
            let content = payload.withUnsafeBytes { TestPayload.read($0, codec: .vp8) }
            #expect(content?.stream == track.encodings[0].contentStream)
        }
        #expect(client.takeRTCP().contains { $0.type == 200 })
        // A receiver that learns nothing of itself by comedia shows itself with any packet.
        let shy = try PlainClient(in: world, isComedia: true)
        try shy.consume(track, ssrc: SSRC(78))
        shy.send(shy.packet(.video, ssrc: SSRC(5), number: 1))
        world.run(for: .seconds(3))
        #expect(shy.takePackets().count > 100)
    }

    @Test func `statistics have the tuples and what came`() throws {
        let (world, client, _, _) = try broadcast()
        sendVideo(client, 1..<11)
        try client.collectStatistics()
        world.run(for: .milliseconds(10))
        let statistics = try #require(client.statistics)
        #expect(statistics.plain?.rtp.remotePort == client.address.port)
        #expect(statistics.plain?.rtcp?.localPort == client.endpoint.rtcpPort)
        #expect(statistics.selectedTuple == nil)
        #expect(statistics.packetsReceived == 10)
        #expect(statistics.bytes.rtpReceived == statistics.bytes.received)
        #expect(statistics.producers.first?.streams.first?.packetsReceived == 10)
    }

    @Test func `closing frees the sockets, and a transport that gets none fails`() throws {
        let (world, client, _, stream) = try broadcast()
        #expect(world.server.plainSockets == 2)
        sendVideo(client, 1..<11)
        world.server.handle.closeTransport(client.transport)
        world.run(for: .milliseconds(10))
        #expect(world.server.plainSockets == 0)
        sendVideo(client, 11..<21)
        #expect(stream.packets == 10)
        world.server.limitPlainSockets(to: 1)
        let other = try PlainClient(in: world)
        world.run(for: .milliseconds(10))
        #expect(other.failures.map(\.code) == [.system])
        #expect(world.server.plainSockets == 0)
        // Its number is free for the next.
        world.server.limitPlainSockets(to: 2)
        let third = try PlainClient(in: world)
        _ = try third.produce(.video, ssrc: video)
        world.run(for: .milliseconds(10))
        #expect(world.server.plainSockets == 2)
        third.send(third.packet(.video, ssrc: video, number: 1))
        world.run(for: .milliseconds(10))
        #expect(third.tuples.count == 1)
    }

    @Test func `no bytes on a plain transport's ports stop it`() throws {
        let (world, client, _, stream) = try broadcast(usesRTCPMux: true)
        var random = SplitMix(seed: 7)
        for _ in 0..<3000 {
            var bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            // Mostly what looks like RTP or RTCP of the known stream.
            if bytes.count > 12, Bool.random(using: &random) {
                bytes[0] = bytes[0] & 0x3F | 0x80
                bytes.replaceSubrange(8..<12, with: [0, 0, 8, 0xAE])
                if Bool.random(using: &random) { bytes[1] = UInt8.random(in: 200...207, using: &random) }
            }
            client.send(bytes)
        }
        world.run(for: .milliseconds(100))
        #expect(world.server.drops.values.reduce(0, +) > 1000)
        for number in UInt64(40_000)..<40_020 {
            client.send(client.packet(.video, ssrc: video, number: number))
            world.run(for: .milliseconds(10))
        }
        #expect(stream.main?.count ?? 0 >= 15)
    }

    /// A member's video on its way to a plain client that shows where it is, and to which RTP may or may not be sent.
    private func receiver(
        allowing ranges: [String] = [], isRequester: Bool = false, own: [IPAddressPort] = []
    ) throws -> (world: VirtualWorld, client: PlainClient) {
        let world = try VirtualWorld()
        let member = try world.join()
        #expect(world.connectAll())
        let track = member.peer.addTrack(.video)
        try member.publish(track)
        // The next address is the client's.
        let next = IPAddressPort(ipv4: 0x0A01_0002, port: 0)
        let client = try PlainClient(
            in: world, usesRTCPMux: true,
            destinations: PlainDestinations(
                ranges: ranges.compactMap(IPAddressRange.init), requester: isRequester ? next : nil, own: own))
        #expect(client.address.withPort(0) == next)
        try client.consume(track, ssrc: SSRC(77))
        client.send(client.packet(.audio, ssrc: SSRC(9), number: 1))
        world.run(for: .seconds(2))
        return (world, client)
    }

    @Test func `what shows itself by a packet gets RTP where it asked for the transport, or is allowed`() throws {
        for ranges in [["10.1.0.0/16"], ["10.1.0.2"], ["0.0.0.0/0"]] {
            #expect(try receiver(allowing: ranges).client.takePackets().count > 100, "\(ranges)")
        }
        #expect(try receiver(isRequester: true).client.takePackets().count > 100)
        // Packets of this machine come from nowhere else.
        #expect(try receiver(own: [IPAddressPort(ipv4: 0x0A01_0002, port: 0)]).client.takePackets().count > 100)
    }

    @Test func `what shows itself by a packet from anywhere else gets none, as its address may be a lie`() throws {
        for ranges in [[], ["10.2.0.0/16"], ["::/0"], ["10.1.0.3"]] {
            let (world, client) = try receiver(allowing: ranges)
            #expect(client.takePackets().isEmpty, "\(ranges)")
            #expect(client.tuples.last?.rtp.remoteAddress == client.address.addressText)
            #expect(world.server.value(.packetsForwarded) == 0)
        }
    }

    @Test func `a sender from anywhere is accepted, and gets reports`() throws {
        let world = try VirtualWorld()
        let viewer = try world.join()
        #expect(world.connectAll())
        let client = try PlainClient(in: world, destinations: PlainDestinations(ranges: []))
        let stream = try viewer.subscribe(to: try client.produce(.video, ssrc: video))
        world.run(for: .milliseconds(10))
        sendVideo(client, 1..<51)
        try client.sendReport(ssrc: video)
        world.run(for: .seconds(5))
        #expect(stream.packets == 50)
        #expect(client.takeRTCP().contains { $0.type == 201 })
    }
}
