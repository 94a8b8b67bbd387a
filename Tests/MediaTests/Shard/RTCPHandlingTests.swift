import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("RTCP of clients")
struct RTCPHandlingTests {
    private func words(_ count: Int) -> [UInt8] { [UInt8(count >> 8), UInt8(truncatingIfNeeded: count)] }

    private func bytes(_ ssrc: UInt32) -> [UInt8] { withUnsafeBytes(of: ssrc.bigEndian) { Array($0) } }

    @Test func `goodbyes and what is of no use are counted, and nothing stops`() throws {
        let (world, publisher, viewer, track, stream) = try makeCall(shards: 1)
        world.run(for: .seconds(1))
        let server = world.server
        publisher.peer.sendRTCP { (writer) throws(WireError) in
            try Goodbye.write(sources: [track.encodings[0].ssrc], reason: "bye", into: &writer)
        }
        // APP, SLI, REMB, and feedback nobody has specified.
        publisher.peer.sendRTCP([0x80, 204, 0, 2] + bytes(1) + Array("name".utf8))
        viewer.peer.sendRTCP([0x82, 206, 0, 3] + bytes(1) + bytes(stream.ssrc.rawValue) + [0, 8, 0, 0x45])
        viewer.peer.sendRTCP { (writer) throws(WireError) in
            try ReceiverEstimatedMaximumBitrate.write(
                senderSSRC: SSRC(1), bitrate: 100_000, sources: [stream.ssrc], into: &writer)
        }
        viewer.peer.sendRTCP([0x9E, 206, 0, 2] + bytes(1) + bytes(2))
        let malformed = server.value(.malformedRTCP)
        world.run(for: .milliseconds(20))
        #expect(server.value(.goodbyesReceived) == 1)
        #expect(server.value(.unsupportedRTCP) == 4)
        #expect(server.value(.malformedRTCP) == malformed)
        stream.reset()
        world.run(for: .seconds(1))
        #expect(stream.main?.ratio == 1 && stream.packets > 50)
    }

    @Test func `a packet that says another length than it has is malformed, whatever its type`() throws {
        let (world, _, viewer, _, stream) = try makeCall(shards: 1)
        world.run(for: .seconds(1))
        for type in UInt8(200)...207 {
            for format in UInt8(0)...31 {
                let before = world.server.value(.malformedRTCP)
                // One word more than there is.
                viewer.peer.sendRTCP(
                    [0x80 | format, type] + words(4) + bytes(1) + bytes(stream.ssrc.rawValue) + bytes(3))
                world.run(for: .milliseconds(10))
                #expect(world.server.value(.malformedRTCP) == before + 1, "type \(type), format \(format)")
            }
        }
        // And every cut of a NACK, a report and an extended report.
        for packet in [
            [0x81, 205, 0, 3] + bytes(1) + bytes(stream.ssrc.rawValue) + [0, 1, 0, 0],
            [0x81, 201, 0, 7] + bytes(1) + bytes(stream.ssrc.rawValue) + [UInt8](repeating: 0, count: 20),
            [0x80, 207, 0, 5] + bytes(1) + [5, 0, 0, 3] + bytes(2) + bytes(3) + bytes(4),
        ] {
            for length in 8..<packet.count { viewer.peer.sendRTCP(Array(packet[..<length])) }
        }
        let before = world.server.value(.malformedRTCP)
        world.run(for: .milliseconds(5))
        #expect(world.server.value(.malformedRTCP) > before + 30)
        stream.reset()
        world.run(for: .seconds(1))
        #expect(stream.main?.ratio == 1 && stream.packets > 50)
    }

    @Test func `sender reports of many consumers share compounds within the limit`() throws {
        let world = try VirtualWorld()
        let publisher = try world.join()
        let viewer = try world.join()
        #expect(world.connectAll())
        let tracks = (0..<40).map { _ in publisher.peer.addTrack(.audio) }
        let streams = try tracks.map { track in
            try publisher.publish(track)
            return try viewer.subscribe(to: track)
        }
        var compounds = 0
        var largest = 0
        let address = viewer.peer.localAddress
        world.network.filter = { datagram in
            let kind = datagram.bytes.withUnsafeBytes { DatagramKind.classify($0) }
            if datagram.to == address, kind == .rtcp {
                compounds += 1
                largest = max(largest, datagram.bytes.count)
            }
            return datagram
        }
        world.run(for: .seconds(12))
        #expect(streams.allSatisfy { (2...4).contains($0.senderReports) })
        #expect(streams.allSatisfy { $0.lastCNAME == tracks[0].cname })
        #expect(viewer.peer.malformed == 0)
        // SRTCP adds an index and a tag.
        #expect(largest <= Shard.largestCompound + 20)
        #expect(largest > 800)
        // At most four rounds of four compounds.
        #expect(compounds <= 16)
        #expect(viewer.peer.roundTripTime != nil)
    }
}
