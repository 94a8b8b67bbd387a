import COpenSSL
import TestSupport
import Testing

@testable import RoundhouseMedia

@Suite("DTLS without libssl after the handshake", .enabled(if: WallClock.isInForce))
struct DTLSHandOverTests {
    let alice: DTLSCertificate
    let bob: DTLSCertificate

    init() throws {
        alice = try DTLSCertificate()
        bob = try DTLSCertificate()
    }

    @Test func `both sides let libssl go with the handshake`() throws {
        let pair = try DTLSPair(client: alice, server: bob)
        pair.start(alice, bob)
        #expect(pair.client.handshake != nil && pair.server.handshake != nil)
        pair.exchange()
        #expect(pair.agreedKeys != nil)
        #expect(pair.client.handshake == nil && pair.server.handshake == nil)
    }

    @Test func `a connection that ends lets libssl go, and what it said last still goes out`() throws {
        let pair = try DTLSPair(client: alice, server: bob)
        pair.server.setRemoteFingerprint(bob.fingerprints[2])
        pair.begin()
        pair.exchange()
        #expect(pair.server.state == .failed && pair.server.handshake == nil)
        #expect(pair.clientEvents.last == .failed(.closedByPeer), "the refusal has arrived")
    }

    @Test(arguments: [1, 2, 3]) func `a server whose last flight is lost repeats it without libssl`(losses: Int) throws
    {
        let pair = try DTLSPair(client: alice, server: bob)
        var lost = 0
        pair.network = { datagram in
            let isLastFlight = !datagram.isFromClient && WireRecord.all(of: datagram.bytes).contains { $0.epoch == 1 }
            guard isLastFlight, lost < losses else { return [datagram.bytes] }
            lost += 1
            return []
        }
        pair.start(alice, bob)
        pair.exchange()
        #expect(lost == 1 && pair.server.state == .connected && pair.server.handshake == nil)
        #expect(pair.client.isConnecting)
        pair.run()
        #expect(lost == losses && pair.client.state == .connected)
        #expect(pair.server.counters.retransmissions == UInt64(losses))
        try expectUniqueRecords(pair)
        #expect(pair.client.send([1]) && pair.server.send([2]))
        pair.exchange()
        #expect(pair.serverEvents.last == .applicationData([1]) && pair.clientEvents.last == .applicationData([2]))
    }

    @Test func `no record number and no nonce comes twice, whatever the network loses, repeats and delays`() throws {
        var repeats = 0 as UInt64
        for seed in 0..<40 as Range<UInt64> {
            var generator = SplitMix(seed: seed)
            let pair = try DTLSPair(client: alice, server: bob, clientMTU: 400, serverMTU: 400)
            pair.network = { datagram in
                switch Int.random(in: 0..<8, using: &generator) {
                case 0: []
                case 1: [datagram.bytes, datagram.bytes]
                default: [datagram.bytes]
                }
            }
            pair.start(alice, bob)
            pair.run()
            try #require(
                pair.client.state == .connected && pair.server.state == .connected,
                "seed \(seed): \(pair.clientEvents), \(pair.serverEvents)")
            for number in 0..<10 as Range<UInt8> {
                #expect(pair.client.send([number]) && pair.server.send([number]))
                pair.exchange()
            }
            pair.client.close()
            pair.exchange()
            try expectUniqueRecords(pair)
            repeats += pair.server.counters.retransmissions + pair.client.counters.retransmissions
        }
        #expect(repeats > 20, "the network was bad enough for the test to say something")
    }

    /// Whether each side's numbers in both epochs, and its nonces, are all different.
    private func expectUniqueRecords(_ pair: DTLSPair) throws {
        for isFromClient in [true, false] {
            let records = pair.sent.filter { $0.isFromClient == isFromClient }.flatMap { WireRecord.all(of: $0.bytes) }
            let numbers = records.map { UInt64($0.epoch) << 48 | $0.sequence }
            #expect(Set(numbers).count == numbers.count)
            let nonces = records.filter { $0.epoch == 1 }.map(\.nonce)
            try #require(!nonces.isEmpty)
            #expect(Set(nonces).count == nonces.count)
        }
    }

    @Test func `data that overtakes the last flight is there once the handshake is complete`() throws {
        let pair = try DTLSPair(client: alice, server: bob)
        var held: [[UInt8]] = []
        pair.network = { datagram in
            let records = WireRecord.all(of: datagram.bytes)
            guard !datagram.isFromClient, records.contains(where: { $0.epoch == 1 }) else { return [datagram.bytes] }
            held.append(datagram.bytes)
            return []
        }
        pair.start(alice, bob)
        pair.exchange()
        #expect(pair.server.send([1]) && pair.server.send([2]))
        pair.exchange()
        try #require(held.count == 3)
        for bytes in held.reversed() { pair.inject(bytes, to: pair.client) }
        pair.collectEvents()
        #expect(pair.client.state == .connected)
        #expect(pair.clientEvents.suffix(2) == [.applicationData([2]), .applicationData([1])])
        // None of it comes twice.
        for bytes in held { pair.inject(bytes, to: pair.client) }
        pair.collectEvents()
        #expect(pair.clientEvents.count == 4)
    }

    @Test func `the client's Finished, sent again by somebody else, gets no answer`() throws {
        let pair = try DTLSPair(client: alice, server: bob)
        pair.start(alice, bob)
        pair.exchange()
        let count = pair.sent.count
        for datagram in pair.sent where datagram.isFromClient { pair.inject(datagram.bytes, to: pair.server) }
        pair.exchange()
        #expect(pair.sent.count == count && pair.server.counters.retransmissions == 0)
        #expect(pair.server.counters.records.replayed == 1 && pair.server.counters.records.foreign > 2)
        #expect(pair.server.state == .connected)
    }

    @Test func `a client that begins a second handshake is not heard, and the first goes on`() throws {
        let pair = try DTLSPair(client: alice, server: bob)
        pair.start(alice, bob)
        pair.exchange()
        let again = try DTLSConnection(certificate: alice)
        again.start(role: .client, at: pair.now)
        let hello = try #require(DTLSPair.polled(again))
        pair.inject(hello, to: pair.server)
        #expect(DTLSPair.polled(pair.server) == nil && pair.server.state == .connected)
        #expect(pair.client.send([1]))
        pair.exchange()
        #expect(pair.serverEvents.last == .applicationData([1]))
    }

    @Test func `forged records before the handshake is complete do not stop those that follow it`() throws {
        let pair = try DTLSPair(client: alice, server: bob)
        let forged: [UInt8] = [23, 0xFE, 0xFD, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 32]
        let flood = (0..<50).map { _ in forged + [UInt8](repeating: 1, count: 32) }
        pair.network = { flood + [$0.bytes] }
        pair.start(alice, bob)
        pair.exchange()
        #expect(pair.agreedKeys != nil)
        pair.network = { [$0.bytes] }
        #expect(pair.client.send([1]) && pair.server.send([2]))
        pair.exchange()
        #expect(pair.serverEvents.last == .applicationData([1]) && pair.clientEvents.last == .applicationData([2]))
    }
}
