import COpenSSL
import Glibc
import Testing

@testable import RoundhouseMedia

@Suite("DTLS with a hostile peer")
struct DTLSHostilePeerTests {
    let alice: DTLSCertificate
    let bob: DTLSCertificate

    init() throws {
        alice = try DTLSCertificate()
        bob = try DTLSCertificate()
    }

    private func randomDatagram(using generator: inout SplitMix) -> [UInt8] {
        var bytes = (0..<Int.random(in: 0...1500, using: &generator)).map { _ in
            UInt8.random(in: 0...255, using: &generator)
        }
        // Mostly what looks like a record, so that libssl gets to see more than the first byte.
        if bytes.count > 13, Int.random(in: 0..<4, using: &generator) > 0 {
            let types: [UInt8] = [20, 21, 22, 23, 24]
            let length = Int.random(in: 0..<8, using: &generator) == 0 ? Int(bytes[12]) : bytes.count - 13
            bytes.replaceSubrange(
                0..<13,
                with: [
                    types.randomElement(using: &generator)!, 0xFE, 0xFD, 0, UInt8.random(in: 0...1, using: &generator),
                ]
                    + bytes[5..<11] + [UInt8(length >> 8), UInt8(length & 0xFF)])
        }
        return bytes
    }

    @Test func `a flood of random datagrams ends at worst the handshake, never the process`() throws {
        var generator = SplitMix(seed: 3)
        for _ in 0..<60 {
            let pair = try DTLSPair(client: alice, server: bob)
            pair.start(alice, bob)
            for _ in 0..<50 {
                pair.inject(randomDatagram(using: &generator), to: pair.server)
                pair.inject(randomDatagram(using: &generator), to: pair.client)
            }
            pair.collectEvents()
            #expect(pair.serverEvents.count <= 2)
            #expect(ERR_peek_error() == 0, "libssl's error queue is left empty")
        }
    }

    @Test func `an established connection survives a flood, and still answers its peer`() throws {
        var generator = SplitMix(seed: 4)
        let pair = try DTLSPair(client: alice, server: bob)
        pair.start(alice, bob)
        pair.exchange()
        for _ in 0..<5000 {
            pair.inject(randomDatagram(using: &generator), to: pair.server)
            pair.inject(randomDatagram(using: &generator), to: pair.client)
        }
        pair.exchange()
        #expect(pair.server.state == .connected && pair.client.state == .connected)
        #expect(ERR_peek_error() == 0)
        pair.client.close()
        pair.exchange()
        #expect(pair.serverEvents.last == .closed)
    }

    @Test func `handshakes whose datagrams are changed at random end in agreement or in failure`() throws {
        for seed in 0..<60 as Range<UInt64> {
            var generator = SplitMix(seed: seed)
            let pair = try DTLSPair(client: alice, server: bob, clientMTU: 400)
            pair.network = { datagram in
                guard Int.random(in: 0..<4, using: &generator) == 0 else { return [datagram.bytes] }
                var bytes = datagram.bytes
                bytes[Int.random(in: bytes.indices, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
                if Bool.random(using: &generator) {
                    bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator))
                }
                return [bytes]
            }
            pair.start(alice, bob)
            pair.run()
            if case .connected? = pair.clientEvents.last, case .connected? = pair.serverEvents.last {
                #expect(pair.agreedKeys != nil, "seed \(seed)")
            }
            #expect(ERR_peek_error() == 0)
        }
    }

    @Test func `what is no DTLS is ignored and counted`() throws {
        let pair = try DTLSPair(client: alice, server: bob)
        pair.inject([22, 0xFE, 0xFD], to: pair.server)
        pair.start(alice, bob)
        for bytes in [[], [22], [UInt8](repeating: 22, count: 12), [UInt8](repeating: 0x80, count: 100)] {
            pair.inject(bytes, to: pair.server)
        }
        #expect(pair.server.counters.ignoredDatagrams == 5)
        pair.exchange()
        #expect(pair.agreedKeys != nil)
        pair.server.close()
        pair.inject([UInt8](repeating: 22, count: 50), to: pair.server)
        #expect(pair.server.counters.ignoredDatagrams == 6)
    }

    @Test func `a fatal alert in the handshake fails it; after it, a forged one is ignored`() throws {
        let alert: [UInt8] = [21, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40]
        let pair = try DTLSPair(client: alice, server: bob)
        pair.start(alice, bob)
        pair.inject(alert, to: pair.client)
        pair.collectEvents()
        #expect(pair.clientEvents == [.connecting, .failed(.alertReceived)])

        let made = try DTLSPair(client: alice, server: bob)
        made.start(alice, bob)
        made.exchange()
        made.inject(alert, to: made.client)
        made.collectEvents()
        #expect(made.client.state == .connected)
    }

    /// The process's resident memory in bytes.
    private func residentBytes() throws -> Int {
        let file = try #require(fopen("/proc/self/statm", "r"))
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        try #require(fgets(&line, 128, file) != nil)
        let fields = line.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }.split(separator: " ")
        return (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE))
    }

    @Test(
        .disabled(if: dlsym(nil, "__asan_init") != nil, "the address sanitizer keeps what was freed"))
    func `a connected transport keeps little memory`() throws {
        var pairs: [DTLSPair] = []
        var each: [Int] = []
        // Other tests run in the same process: the batch they disturb least counts. Nothing is freed in between.
        for _ in 0..<4 {
            let before = try residentBytes()
            for _ in 0..<100 {
                let pair = try DTLSPair(client: alice, server: bob)
                pair.start(alice, bob)
                pair.exchange()
                #expect(pair.agreedKeys != nil)
                pairs.append(pair)
            }
            each.append((try residentBytes() - before) / 200)
        }
        #expect(each.contains { $0 < 12 * 1024 }, "bytes each: \(each)")
        #expect(pairs.count == 400)
    }
}
