import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("What nobody should send")
struct HostileInputTests {
    /// A call that runs, and every kind of datagram its publisher has sent.
    private func makeRecordedCall() throws -> (VirtualWorld, VirtualMember, SubscribedStream, [VirtualDatagram]) {
        let world = try VirtualWorld(shards: 2)
        let publisher = try world.join()
        let viewer = try world.join()
        var recorded: [DatagramKind: [VirtualDatagram]] = [:]
        let source = publisher.peer.localAddress
        world.network.filter = { datagram in
            let kind = datagram.bytes.withUnsafeBytes { DatagramKind.classify($0) }
            if datagram.from == source, recorded[kind, default: []].count < 6 {
                recorded[kind, default: []].append(datagram)
            }
            return datagram
        }
        #expect(world.connectAll())
        let track = publisher.peer.addTrack(.video)
        try publisher.publish(track)
        let stream = try viewer.subscribe(to: track)
        world.run(for: .seconds(2))
        world.network.filter = nil
        #expect(Set(recorded.keys) == [.stun, .dtls, .rtp, .rtcp])
        return (world, publisher, stream, recorded.values.flatMap { $0 })
    }

    private func expectUndisturbed(_ world: VirtualWorld, _ stream: SubscribedStream, _ what: Comment) {
        stream.reset()
        world.run(for: .seconds(1))
        #expect(stream.main?.ratio == 1, what)
        #expect(stream.packets > 50, what)
        #expect(stream.faults == [], what)
        for member in world.members {
            #expect(member.iceStates == [.completed], what)
            #expect(member.dtlsStates == [.connecting, .connected], what)
        }
    }

    /// RFC 3711 §3.3.2: the keys go on, so what was recorded under them stays a replay.
    @Test func `packets recorded of a producer bring nothing when its SSRC is announced again`() throws {
        let (world, publisher, _, recorded) = try makeRecordedCall()
        let track = publisher.peer.tracks[0]
        track.isSending = false
        world.run(for: .milliseconds(100))
        publisher.handle.closeProducer(try #require(track.producer))
        world.run(for: .milliseconds(50))
        try publisher.publish(track)
        let again = try world.members[1].subscribe(to: track)
        world.run(for: .milliseconds(50))
        let (received, replays) = (world.server.value(.packetsReceived), world.server.value(.srtpReplay))
        let packets = recorded.filter { $0.bytes.withUnsafeBytes { DatagramKind.classify($0) } == .rtp }
        #expect(packets.count == 6)
        for datagram in packets { world.inject(datagram.bytes, from: datagram.from, shard: publisher.transport.shard) }
        world.run(for: .milliseconds(50))
        #expect(world.server.value(.packetsReceived) == received)
        #expect(world.server.value(.srtpReplay) == replays + UInt64(packets.count))
        #expect(again.packets == 0)
        track.isSending = true
        world.run(for: .seconds(1))
        expectUndisturbed(world, again, "after the replays")
    }

    @Test func `truncated, replayed and damaged datagrams of every kind change nothing`() throws {
        let (world, publisher, stream, recorded) = try makeRecordedCall()
        let contents = world.server.withShard(0) { ShardContents($0) }
        let shard = publisher.transport.shard
        var random = SplitMix(seed: 7)
        let stranger = world.makeAddress()
        for datagram in recorded {
            // A repeated binding request is valid and answered; everything else is refused.
            for length in 0..<datagram.bytes.count {
                world.inject(Array(datagram.bytes[..<length]), from: datagram.from, shard: shard)
                world.inject(Array(datagram.bytes[..<length]), from: stranger, shard: shard)
            }
            for _ in 0..<200 {
                var bytes = datagram.bytes
                for _ in 0...(random.next() % 4) {
                    bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
                }
                world.inject(bytes, from: datagram.from, shard: shard)
                world.inject(bytes, from: stranger, shard: shard)
            }
            world.inject(datagram.bytes, from: datagram.from, shard: shard)
            world.run(for: .milliseconds(1))
        }
        #expect(world.server.withShard(0) { ShardContents($0) }.producers == contents.producers)
        let drops = world.server.drops
        for reason in [
            DropReason.unknownDatagram, .unknownTuple, .malformedSTUN, .srtpAuthentication, .srtpReplay, .malformedRTP,
        ] { #expect(drops[reason] ?? 0 > 0, "\(reason)") }
        expectUndisturbed(world, stream, "after damaged copies")
    }

    @Test func `random bytes under every first byte are dropped`() throws {
        let (world, publisher, stream, _) = try makeRecordedCall()
        var random = SplitMix(seed: 8)
        for first in 0..<256 {
            for length in [0, 1, 3, 4, 7, 8, 11, 12, 13, 20, 40, 100, 1500, 2048, 3000] {
                var bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                if length > 0 { bytes[0] = UInt8(first) }
                // The magic cookie leads deeper into the STUN parser.
                if first < 4, length >= 20 { bytes.replaceSubrange(4..<8, with: [0x21, 0x12, 0xA4, 0x42]) }
                world.inject(bytes, from: publisher.peer.localAddress, shard: publisher.transport.shard)
            }
        }
        world.run(for: .milliseconds(1))
        #expect(world.server.drops[.oversizedDatagram] == 256)
        expectUndisturbed(world, stream, "after random bytes")
    }

    @Test func `dropped DTLS records are counted by their reasons`() throws {
        let (world, publisher, stream, _) = try makeRecordedCall()
        func record(_ type: UInt8, epoch: UInt8, number: UInt8, _ fragment: [UInt8], length: Int? = nil) -> [UInt8] {
            let count = length ?? fragment.count
            return [type, 0xFE, 0xFD, 0, epoch, 0, 0, 0, 0, 0, number, UInt8(count >> 8), UInt8(count & 0xFF)]
                + fragment
        }
        let garbage = [UInt8](repeating: 0x5A, count: 60)
        for (reason, datagram) in [
            (DropReason.dtlsAuthentication, record(23, epoch: 1, number: 200, garbage)),
            (.malformedDTLS, record(23, epoch: 1, number: 201, [1, 2, 3])),
            (.malformedDTLS, record(23, epoch: 1, number: 202, garbage, length: 500)),
            (.unexpectedDTLS, record(22, epoch: 0, number: 9, garbage)),
        ] {
            let before = world.server.drops
            world.inject(datagram, from: publisher.peer.localAddress, shard: publisher.transport.shard)
            world.run(for: .milliseconds(1))
            let dropped = world.server.drops.filter { before[$0.key] ?? 0 != $0.value }
            #expect(dropped.map(\.key) == [reason] && dropped.first.map { $0.value - (before[reason] ?? 0) } == 1)
        }
        expectUndisturbed(world, stream, "after forged records")
    }

    @Test func `what is sealed rightly but wrong inside is dropped by its reason`() throws {
        let (world, publisher, stream, _) = try makeRecordedCall()
        let peer = publisher.peer
        let server = world.server
        let track = peer.tracks[0]
        func expectDrops(_ reason: DropReason, _ count: UInt64, _ send: () throws -> Void) throws {
            let before = server.value(reason)
            try send()
            world.run(for: .milliseconds(20))
            #expect(server.value(reason) - before == count, "\(reason)")
        }
        try expectDrops(.unknownSSRC, 3) {
            for index in 0..<3 {
                try peer.sendRTP(payloadType: 96, ssrc: SSRC(123), index: UInt64(index), payload: [1, 2, 3])
            }
        }
        let stranger = track.encodings[0]
        try expectDrops(.unknownPayloadType, 1) {
            try peer.sendRTP(payloadType: 33, ssrc: stranger.ssrc, index: stranger.index, payload: [1, 2, 3])
            stranger.index += 1
            stranger.number += 1
        }
        let rtx = try #require(stranger.rtxSSRC)
        try expectDrops(.uselessRetransmission, 3) {
            // Too short, unknown number, no payload at all.
            try peer.sendRTP(payloadType: 97, ssrc: rtx, index: 500, payload: [0])
            try peer.sendRTP(payloadType: 97, ssrc: rtx, index: 501, payload: [0x77, 0x77, 1, 2, 3])
            try peer.sendRTP(payloadType: 97, ssrc: rtx, index: 502, payload: [])
        }
        try expectDrops(.malformedRTP, 2) {
            // Padding longer than the payload, and none where the bit says so.
            try peer.sendRTP(
                payloadType: 96, ssrc: stranger.ssrc, index: stranger.index + 1, payload: [9, 9, 200], hasPadding: true)
            try peer.sendRTP(
                payloadType: 96, ssrc: stranger.ssrc, index: stranger.index + 2, payload: [0], hasPadding: true)
        }
        stranger.index += 3
        world.run(for: .milliseconds(200))
        // RTCP: random bodies behind each type.
        var random = SplitMix(seed: 3)
        for type in UInt8(192)...223 {
            for _ in 0..<40 {
                var bytes = (0..<Int(8 + random.next() % 80)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                bytes[0] = 0x80 | bytes[0] & 0x3F
                bytes[1] = type
                if random.next() % 2 == 0 {
                    bytes.removeLast(bytes.count % 4)
                    let words = UInt16(bytes.count / 4 - 1)
                    bytes[2] = UInt8(words >> 8)
                    bytes[3] = UInt8(truncatingIfNeeded: words)
                    // Half of them about a stream we have.
                    if bytes.count >= 12 {
                        withUnsafeBytes(of: stream.ssrc.rawValue.bigEndian) { bytes.replaceSubrange(8..<12, with: $0) }
                    }
                }
                peer.sendRTCP(bytes)
                world.members[1].peer.sendRTCP(bytes)
            }
            world.run(for: .milliseconds(1))
        }
        #expect(server.value(.malformedRTCP) > 100)
        world.run(for: .seconds(1))
        stream.reset()
        world.run(for: .seconds(1))
        #expect(stream.main?.ratio == 1)
        #expect(stream.packets > 50)
    }

    @Test func `RTP before the handshake is dropped`() throws {
        let world = try VirtualWorld()
        let member = try world.join(connects: false)
        try member.connect(tellsServer: false)
        world.run(for: .milliseconds(3))
        #expect(member.peer.confirmedPaths.count == 1)
        world.inject([0x80, 96] + [UInt8](repeating: 1, count: 40), from: member.peer.localAddress)
        world.inject([0x80, 200] + [UInt8](repeating: 1, count: 40), from: member.peer.localAddress)
        world.run(for: .milliseconds(1))
        #expect(world.server.value(.beforeHandshake) == 2)
    }

    @Test func `a flood of SSRCs leaves no more memory behind than its bound`() throws {
        let (world, publisher, stream, _) = try makeRecordedCall()
        let peer = publisher.peer
        let shard = publisher.transport.shard
        let before = world.server.value(.unknownSSRC)
        for ssrc in 0..<10_000 {
            try peer.sendRTP(
                payloadType: 96, ssrc: SSRC(UInt32(1_000_000 + ssrc)), index: 1, payload: [0x10, 0, 0],
                mid: ssrc % 2 == 0 ? nil : "77")
            if ssrc % 500 == 0 { world.run(for: .milliseconds(1)) }
        }
        world.run(for: .milliseconds(100))
        #expect(world.server.value(.unknownSSRC) - before == 10_000)
        #expect(streams(of: publisher, in: world, shard) <= 4)
        expectUndisturbed(world, stream, "after the RTP flood")
        // Senders of RTCP only are remembered for replays, up to a limit.
        for ssrc in 0..<10_000 {
            peer.sendRTCP([0x80, 201, 0, 1] + withUnsafeBytes(of: UInt32(5_000_000 + ssrc).bigEndian) { Array($0) })
            if ssrc % 500 == 0 { world.run(for: .milliseconds(1)) }
        }
        world.run(for: .milliseconds(100))
        #expect(streams(of: publisher, in: world, shard) <= SRTPStreamTable.limit)
        #expect(world.server.value(.srtpTooManyStreams) > 8000)
        expectUndisturbed(world, stream, "after the RTCP flood")
    }

    private func streams(of member: VirtualMember, in world: VirtualWorld, _ shard: Int) -> Int {
        world.server.withShard(shard) { shard in
            guard let transport = shard.transportsByKey[member.transport.rawValue] else { return -1 }
            return shard.transports[transport].protection.receivedStreams
        }
    }

    @Test func `new SSRCs for a MID that announced its own are conflicts`() throws {
        let (world, publisher, stream, _) = try makeRecordedCall()
        for ssrc in 0..<100 {
            try publisher.peer.sendRTP(
                payloadType: 96, ssrc: SSRC(UInt32(9_000_000 + ssrc)), index: 1, payload: [0x10, 0, 0],
                mid: publisher.peer.tracks[0].mid)
        }
        world.run(for: .milliseconds(50))
        #expect(world.server.value(.streamConflict) == 100)
        expectUndisturbed(world, stream, "after conflicting SSRCs")
    }

    @Test func `a flood of checks from many addresses keeps no table full`() throws {
        let (world, publisher, stream, _) = try makeRecordedCall()
        let shard = publisher.transport.shard
        // Valid checks of one client, as from behind a translator that changes the port each time.
        for port in 0..<2000 {
            let address = IPAddressPort(ipv4: 0x0A09_0909, port: UInt16(1024 + port))
            publisher.peer.sendCheck(from: address, nominates: false)
            if port % 100 == 0 { world.run(for: .milliseconds(2)) }
        }
        // And checks for nobody.
        var request = [UInt8](repeating: 0, count: 200)
        let length = request.withUnsafeMutableBytes { bytes -> Int in
            var writer = ByteWriter(bytes)
            let message = STUNBindingRequest(
                transactionID: STUNTransactionID(high: 1, low: 1), username: "nobody:me", priority: 1, controlling: 1)
            try? message.write(into: &writer, key: HMACSHA1Key(password: "x"))
            return writer.count
        }
        for port in 0..<2000 {
            world.inject(
                Array(request[..<length]), from: IPAddressPort(ipv4: 0x0A09_0908, port: UInt16(1024 + port)),
                shard: shard)
        }
        world.run(for: .milliseconds(50))
        #expect(world.server.value(.unknownUsernameFragment) == 2000)
        world.server.withShard(shard) { shard in
            #expect(shard.tupleNumbers.count <= 10)
            #expect(shard.tuples.count < 40)
        }
        expectUndisturbed(world, stream, "after the flood of checks")
    }
}
