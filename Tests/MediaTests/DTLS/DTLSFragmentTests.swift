import COpenSSL
import Testing

@testable import RoundhouseMedia

@Suite("DTLS fragments")
struct DTLSFragmentTests {
    let alice: DTLSCertificate
    let bob: DTLSCertificate

    init() throws {
        alice = try DTLSCertificate()
        bob = try DTLSCertificate()
    }

    /// Makes the ClientHello as long as a browser's with its post-quantum key share: protocols nobody speaks.
    private func lengthenClientHello(_ certificate: DTLSCertificate, by count: Int) {
        var protocols: [UInt8] = []
        while protocols.count < count { protocols += [99] + [UInt8](repeating: 0x78, count: 99) }
        SSL_CTX_set_alpn_protos(certificate.context, protocols, UInt32(protocols.count))
    }

    @Test(arguments: [228, 230, 256, 300, 500, 1200, 1408])
    func `a peer that cuts its flights at any size is understood`(mtu: Int) throws {
        lengthenClientHello(alice, by: 1300)
        let pair = try DTLSPair(client: alice, server: bob, clientMTU: mtu)
        pair.start(alice, bob)
        pair.exchange()
        #expect(pair.agreedKeys != nil)
        let hello = pair.sent.prefix { $0.isFromClient }
        // As Chromium's 1200 + 263, or many.
        #expect(hello.count >= 2)
        #expect(pair.sent.allSatisfy { !$0.isFromClient || $0.bytes.count <= mtu })
    }

    @Test(arguments: [228, 256, 400])
    func `a server that cuts its flights at any size is understood`(mtu: Int) throws {
        let pair = try DTLSPair(client: alice, server: bob, serverMTU: mtu)
        pair.start(alice, bob)
        pair.exchange()
        #expect(pair.agreedKeys != nil)
        #expect(pair.sent.filter { !$0.isFromClient }.count >= 3)
        #expect(pair.sent.allSatisfy { $0.isFromClient || $0.bytes.count <= mtu })
    }

    @Test func `a ClientHello cut anywhere, with fragments mixed up and repeated, is put together`() throws {
        lengthenClientHello(alice, by: 800)
        for seed in 0..<40 as Range<UInt64> {
            var generator = SplitMix(seed: seed)
            let pair = try DTLSPair(client: alice, server: bob)
            var isFirst = true
            pair.network = { datagram in
                guard datagram.isFromClient else { return [datagram.bytes] }
                guard isFirst else { return [Self.renumbered(datagram.bytes)] }
                isFirst = false
                return Self.recut(datagram.bytes, using: &generator)
            }
            pair.start(alice, bob)
            pair.exchange()
            #expect(pair.agreedKeys != nil, "seed \(seed)")
        }
    }

    /// Moves the records of epoch zero behind those that the ClientHello was cut into: numbers are used once.
    private static func renumbered(_ datagram: [UInt8]) -> [UInt8] {
        var bytes = datagram
        var start = 0
        while start + 13 <= bytes.count {
            if bytes[start + 4] == 0 { bytes[start + 10] += 100 }
            start += 13 + (Int(bytes[start + 11]) << 8) + Int(bytes[start + 12])
        }
        return bytes
    }

    /// Cuts a handshake message that stands alone in a record into fragments (RFC 6347 §4.2.3), each in a record of its
    /// own; mixes them up, repeats some, and puts one or more records into a datagram.
    private static func recut(_ datagram: [UInt8], using generator: inout SplitMix) -> [[UInt8]] {
        let message = Array(datagram[25...])
        var cuts = Set(
            (0..<Int.random(in: 1...12, using: &generator)).map { _ in
                Int.random(in: 1..<message.count, using: &generator)
            })
        cuts.formUnion([0, message.count])
        let sorted = cuts.sorted()
        var fragments = zip(sorted, sorted.dropFirst()).map { $0..<$1 }
        fragments += fragments.filter { _ in Bool.random(using: &generator) }
        fragments.shuffle(using: &generator)
        var datagrams: [[UInt8]] = []
        for (number, range) in fragments.enumerated() {
            let length = range.count + 12
            var record = Array(datagram[..<5]) + [0, 0, 0, 0, 0, UInt8(number)]
            record += [UInt8(length >> 8), UInt8(length & 0xFF)] + datagram[13..<19]
            record += [0, UInt8(range.lowerBound >> 8), UInt8(range.lowerBound & 0xFF)]
            record += [0, UInt8(range.count >> 8), UInt8(range.count & 0xFF)]
            record += message[range]
            if Bool.random(using: &generator), let last = datagrams.last, last.count + record.count < 1200 {
                datagrams[datagrams.count - 1] += record
            } else {
                datagrams.append(record)
            }
        }
        return datagrams
    }
}
