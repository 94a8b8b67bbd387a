import Testing

@testable import RoundhouseMedia
@testable import TestSupport

@Suite("DTLS through a shard")
struct HandshakeTests {
    private func expectCall(_ world: VirtualWorld, from publisher: VirtualMember, to viewer: VirtualMember) throws {
        let track = publisher.peer.addTrack(.audio)
        try publisher.publish(track)
        let stream = try viewer.subscribe(to: track)
        world.run(for: .milliseconds(500))
        #expect(stream.packets > 20)
        #expect(stream.main?.ratio == 1)
    }

    @Test func `the server is DTLS client where the client wants to be server`() throws {
        let world = try VirtualWorld()
        let alice = try world.join(dtlsRole: .server)
        let bob = try world.join(dtlsRole: .client)
        #expect(world.connectAll())
        #expect(alice.dtlsStates == [.connecting, .connected])
        try expectCall(world, from: alice, to: bob)
        try expectCall(world, from: bob, to: alice)
    }

    @Test(arguments: [DTLSRole.client, .server]) func `checks may come before signaling gives the role`(
        clientRole: DTLSRole
    ) throws {
        let world = try VirtualWorld()
        let alice = try world.join(dtlsRole: clientRole, connects: false)
        let bob = try world.join()
        try alice.connect(tellsServer: false)
        world.run(for: .milliseconds(300))
        #expect(alice.iceStates == [.completed])
        #expect(!alice.dtlsStates.contains(.connected))
        try alice.tellServer()
        #expect(world.connectAll())
        world.run(for: .milliseconds(10))
        #expect(alice.dtlsStates == [.connecting, .connected])
        try expectCall(world, from: alice, to: bob)
    }

    @Test func `another certificate than the promised one fails the transport`() throws {
        let world = try VirtualWorld()
        let member = try world.join(hasOwnCertificate: true, connects: false)
        let other = try VirtualPeer(
            address: world.makeAddress(), seed: 1, now: world.now, hasOwnCertificate: true)
        try member.connect(fingerprint: other.fingerprint)
        world.run(for: .seconds(2))
        #expect(member.dtlsStates == [.connecting, .failed])
        #expect(world.server.value(.handshakesFailed) == 1)
        #expect(world.server.value(.handshakesCompleted) == 0)
        // And nothing of it is accepted.
        let track = member.peer.addTrack(.audio)
        try member.publish(track)
        world.run(for: .milliseconds(500))
        #expect(world.server.value(.packetsReceived) == 0)
    }

    @Test func `every fingerprint algorithm is accepted`() throws {
        let world = try VirtualWorld()
        for algorithm in DTLSFingerprint.Algorithm.allCases {
            let member = try world.join(connects: false)
            let fingerprint = try #require(
                member.peer.certificate.fingerprints.first { $0.algorithm == algorithm })
            try member.connect(fingerprint: fingerprint)
        }
        #expect(world.connectAll())
    }

    @Test func `a handshake from an address without a check is refused`() throws {
        let world = try VirtualWorld()
        let member = try world.join(connects: false)
        try member.connect()
        member.peer.sendsChecks = false
        member.peer.startDTLS()
        world.run(for: .milliseconds(200))
        #expect(world.server.value(.unknownTuple) >= 1)
        #expect(member.iceStates == [])
        #expect(member.dtlsStates == [])
    }

    @Test func `a client's goodbye is reported once, and nothing is sent to it afterwards`() throws {
        let (world, _, viewer, _, stream) = try makeCall(shards: 1)
        world.run(for: .seconds(1))
        viewer.peer.close()
        world.run(for: .milliseconds(100))
        #expect(viewer.dtlsStates == [.connecting, .connected, .closed])
        let packets = stream.packets
        world.run(for: .seconds(1))
        #expect(stream.packets == packets)
    }
}
