import COpenSSL
import TestSupport
import Testing

@testable import RoundhouseMedia

@Suite("DTLS over a bad network", .enabled(if: WallClock.isInForce, "libssl does not see the tests' clock"))
struct DTLSLossTests {
    let alice: DTLSCertificate
    let bob: DTLSCertificate

    init() throws {
        alice = try DTLSCertificate()
        bob = try DTLSCertificate()
    }

    /// How many datagrams an undisturbed handshake takes.
    private func undisturbed(mtu: Int) throws -> Int {
        let pair = try DTLSPair(client: alice, server: bob, clientMTU: mtu, serverMTU: mtu)
        pair.start(alice, bob)
        pair.exchange()
        try #require(pair.agreedKeys != nil)
        return pair.sent.count
    }

    @Test(arguments: [1200, 300])
    func `any one datagram may be lost`(mtu: Int) throws {
        for lost in 0..<(try undisturbed(mtu: mtu)) {
            let pair = try DTLSPair(client: alice, server: bob, clientMTU: mtu, serverMTU: mtu)
            pair.network = { $0.number == lost ? [] : [$0.bytes] }
            let began = pair.now
            pair.start(alice, bob)
            pair.run()
            #expect(pair.agreedKeys != nil, "datagram \(lost)")
            #expect(pair.client.counters.retransmissions + pair.server.counters.retransmissions > 0)
            #expect(pair.now - began < .seconds(4))
        }
    }

    @Test(arguments: [1200, 300])
    func `any one datagram may come twice, or after its successor`(mtu: Int) throws {
        for odd in 0..<(try undisturbed(mtu: mtu)) {
            let twice = try DTLSPair(client: alice, server: bob, clientMTU: mtu, serverMTU: mtu)
            twice.network = { $0.number == odd ? [$0.bytes, $0.bytes] : [$0.bytes] }
            twice.start(alice, bob)
            twice.run()
            #expect(twice.agreedKeys != nil, "datagram \(odd) twice")

            let late = try DTLSPair(client: alice, server: bob, clientMTU: mtu, serverMTU: mtu)
            var held: DTLSPair.Datagram?
            late.network = { datagram in
                if datagram.number == odd {
                    held = datagram
                    return []
                }
                guard let early = held, early.isFromClient == datagram.isFromClient else { return [datagram.bytes] }
                held = nil
                return [datagram.bytes, early.bytes]
            }
            late.start(alice, bob)
            late.run()
            #expect(late.agreedKeys != nil, "datagram \(odd) late")
        }
    }

    @Test func `a handshake survives a third of all datagrams lost, for many seeds`() throws {
        for seed in 0..<20 as Range<UInt64> {
            var generator = SplitMix(seed: seed)
            let pair = try DTLSPair(client: alice, server: bob, clientMTU: 300, serverMTU: 600)
            pair.network = { Int.random(in: 0..<3, using: &generator) == 0 ? [] : [$0.bytes] }
            pair.start(alice, bob)
            pair.run()
            #expect(pair.agreedKeys != nil, "seed \(seed)")
        }
    }

    @Test func `a silent peer is asked again after 1, 2, 4, 8 and 16 seconds and then given up`() throws {
        let pair = try DTLSPair(client: alice, server: bob)
        pair.network = { _ in [] }
        let began = pair.now
        pair.start(alice, bob)
        var times: [Int64] = []
        pair.network = { [unowned pair] _ in
            times.append((pair.now - began).milliseconds)
            return []
        }
        #expect(pair.client.nextDeadline == began + .seconds(1))
        pair.run()
        #expect(times == [0, 1000, 3000, 7000, 15_000, 31_000])
        #expect(pair.clientEvents == [.connecting, .failed(.timedOut)])
        #expect((pair.now - began) == .seconds(31))
        #expect(pair.client.nextDeadline == nil)
        // The server waits for as long as it is let: no flight of its own is under way.
        #expect(pair.serverEvents == [.connecting])
        #expect(pair.server.nextDeadline == nil)
    }

    @Test func `a deadline that comes early does nothing`() throws {
        let pair = try DTLSPair(client: alice, server: bob)
        pair.network = { _ in [] }
        pair.start(alice, bob)
        pair.exchange()
        pair.client.deadlineReached(at: pair.now + .milliseconds(500))
        #expect(DTLSPair.polled(pair.client) == nil)
        #expect(pair.client.counters.retransmissions == 0)
    }
}
