import COpenSSL
import TestSupport
import Testing

@testable import RoundhouseMedia

@Suite("DTLS connections")
struct DTLSConnectionTests {
    let alice: DTLSCertificate
    let bob: DTLSCertificate

    init() throws {
        alice = try DTLSCertificate()
        bob = try DTLSCertificate()
    }

    @Test func `two connections agree on keys and prefer AES-128-GCM`() throws {
        let pair = try DTLSPair(client: alice, server: bob)
        #expect(pair.client.state == .idle)
        pair.start(alice, bob)
        #expect(pair.client.isConnecting)
        pair.exchange()
        let keys = try #require(pair.agreedKeys)
        #expect(keys.profile == .aeadAES128GCM)
        #expect(keys.local.key.count == 16 && keys.local.salt.count == 12)
        #expect(pair.clientEvents.count == 2 && pair.clientEvents.first == .connecting)
        #expect(pair.serverEvents.count == 2 && pair.serverEvents.first == .connecting)
        #expect(pair.client.state == .connected && pair.server.state == .connected)
        #expect(pair.client.nextDeadline == nil && pair.server.nextDeadline == nil)
        #expect(pair.sent.allSatisfy { $0.bytes.count <= 1200 })
    }

    @Test(arguments: SRTPProfile.allCases)
    func `each SRTP profile is negotiated when it is the only one offered`(profile: SRTPProfile) throws {
        let offered = DTLSCertificate.offerProfiles([profile], in: alice.context)
        #expect(offered)
        // Tags of 32 bits are taken only by those who ask for what is old.
        let isLegacy = profile == .aes128CMHMACSHA1x32
        let server = try DTLSCertificate(isLegacy: isLegacy)
        if isLegacy {
            let refusing = try DTLSPair(client: alice, server: bob)
            refusing.start(alice, bob)
            refusing.exchange()
            #expect(refusing.agreedKeys == nil)
        }
        let pair = try DTLSPair(client: alice, server: server)
        pair.start(alice, server)
        pair.exchange()
        let keys = try #require(pair.agreedKeys)
        #expect(keys.profile == profile)
        #expect(keys.local.fits(profile) && keys.remote.fits(profile))
        // The keys work: what one side seals the other opens.
        let remote = try #require(pair.serverKeys)
        let sealer = try TestSealer(profile, keys.local)
        let opener = try TestOpener(profile, remote.remote)
        let packet = TestRTPPacket(sequence: 1, payloadLength: 100)
        #expect(opener.opened(try sealer.sealed(packet, index: 1)).1 == packet.bytes)
    }

    @Test func `the server's order of profiles wins`() throws {
        let offered = DTLSCertificate.offerProfiles(
            [.aes128CMHMACSHA1x80, .aeadAES256GCM, .aeadAES128GCM], in: alice.context)
        #expect(offered)
        let pair = try DTLSPair(client: alice, server: bob)
        pair.start(alice, bob)
        pair.exchange()
        #expect(pair.agreedKeys?.profile == .aeadAES128GCM)
    }

    @Test(arguments: DTLSFingerprint.Algorithm.allCases)
    func `a certificate is accepted by any fingerprint algorithm`(algorithm: DTLSFingerprint.Algorithm) throws {
        let pair = try DTLSPair(client: alice, server: bob)
        pair.start(alice, bob, algorithm: algorithm)
        pair.exchange()
        #expect(pair.agreedKeys != nil)
    }

    @Test func `a fingerprint that comes after the handshake is checked then`() throws {
        let pair = try DTLSPair(client: alice, server: bob)
        pair.begin()
        pair.exchange()
        #expect(pair.serverEvents == [.connecting])
        #expect(pair.server.isConnecting)
        pair.server.setRemoteFingerprint(alice.fingerprints[2])
        pair.client.setRemoteFingerprint(bob.fingerprints[4])
        pair.collectEvents()
        #expect(pair.agreedKeys != nil)
    }

    @Test(arguments: [true, false])
    func `a wrong fingerprint fails the connection, known before or after`(isKnownBefore: Bool) throws {
        let pair = try DTLSPair(client: alice, server: bob)
        // The client's certificate is not the server's own.
        if isKnownBefore { pair.server.setRemoteFingerprint(bob.fingerprints[2]) }
        pair.begin()
        pair.exchange()
        if !isKnownBefore { pair.server.setRemoteFingerprint(bob.fingerprints[2]) }
        pair.exchange()
        #expect(pair.serverEvents == [.connecting, .failed(.fingerprintMismatch)])
        #expect(pair.server.state == .failed)
        // The client, which has not checked yet, is notified.
        #expect(pair.clientEvents == [.connecting, .failed(.closedByPeer)])
        // The first fingerprint counts.
        pair.server.setRemoteFingerprint(alice.fingerprints[2])
        #expect(pair.server.pollEvent() == nil)
    }

    @Test(arguments: [true, false])
    func `close_notify closes the other side, from client and from server`(byClient: Bool) throws {
        let pair = try DTLSPair(client: alice, server: bob)
        pair.start(alice, bob)
        pair.exchange()
        #expect(pair.agreedKeys != nil)
        (byClient ? pair.client : pair.server).close()
        pair.exchange()
        #expect((byClient ? pair.serverEvents : pair.clientEvents).last == .closed)
        #expect((byClient ? pair.clientEvents : pair.serverEvents).count == 2)
        #expect(pair.client.state == .closed && pair.server.state == .closed)
        #expect(pair.client.nextDeadline == nil && pair.server.nextDeadline == nil)
    }

    @Test func `closing during the handshake is silent and final`() throws {
        let pair = try DTLSPair(client: alice, server: bob)
        pair.start(alice, bob)
        _ = DTLSPair.polled(pair.client)
        pair.client.close()
        pair.client.close()
        #expect(DTLSPair.polled(pair.client) == nil)
        #expect(pair.client.state == .closed)
        pair.client.start(role: .server, at: pair.now)
        #expect(pair.client.state == .closed)
    }

    @Test func `a peer without use_srtp is refused`() throws {
        let pair = try DTLSPair(client: alice, server: bob)
        let plain = try PlainContext(like: alice)
        let stranger = try PlainPeer(context: plain)
        pair.server.setRemoteFingerprint(alice.fingerprints[2])
        WallClock.set(pair.now)
        pair.server.start(role: .server, at: pair.now)
        stranger.handshake(with: pair.server, at: pair.now)
        pair.collectEvents()
        #expect(pair.serverEvents == [.connecting, .failed(.noSRTPProfile)])
    }

    @Test func `application data goes both ways, one record to an event, and ends with the connection`() throws {
        let pair = try DTLSPair(client: alice, server: bob)
        #expect(!pair.client.send([1]))
        pair.start(alice, bob)
        pair.exchange()
        let long = [UInt8](repeating: 7, count: 1000)
        #expect(pair.client.send(long) && pair.client.send([1, 2, 3]) && pair.server.send([]))
        pair.exchange()
        #expect(pair.serverEvents.suffix(2) == [.applicationData(long), .applicationData([1, 2, 3])])
        #expect(pair.clientEvents.last == .applicationData([]))
        #expect(!pair.client.send([UInt8](repeating: 7, count: 16_385)))
        pair.server.close()
        pair.exchange()
        #expect(!pair.client.send([1]) && !pair.server.send([1]))
    }

    @Test func `application data before the peer's certificate is checked is discarded and counted`() throws {
        let pair = try DTLSPair(client: alice, server: bob)
        pair.client.setRemoteFingerprint(bob.fingerprints[2])
        pair.begin()
        pair.exchange()
        #expect(pair.client.send([1, 2, 3]) && !pair.server.send([1]))
        pair.exchange()
        #expect(pair.serverEvents == [.connecting])
        #expect(pair.server.counters.ignoredApplicationBytes == 3)
        pair.server.setRemoteFingerprint(alice.fingerprints[2])
        pair.exchange()
        #expect(pair.server.state == .connected)
    }
}
