import Testing

@testable import RoundhouseMedia

@Suite("Sockets of plain transports")
struct PlainSocketTests {
    private static let loopback = IPAddressPort(ipv4: 0x7F00_0001, port: 0)

    /// A source over four ports from an even one on that nobody has now, and the two pairs that they are.
    private func exhausted() throws -> (source: PlainPorts, pairs: [PlainSockets], first: UInt16) {
        for first in stride(from: UInt16(23_000), to: 29_000, by: 4) {
            let source = PlainPorts(
                address: Self.loopback, ip: "host.example", ports: first...first + 3, bufferBytes: 65_536)
            if let a = try? source.open(usesRTCPMux: false), let b = try? source.open(usesRTCPMux: false) {
                return (source, [a, b], first)
            }
        }
        throw MediaError(.system, "no four ports in a row are free")
    }

    @Test func `RTP has an even port and RTCP the next, and clients are sent the announced name`() throws {
        let (_, pairs, first) = try exhausted()
        #expect(Set(pairs.map(\.endpoint.port)) == [first, first + 2])
        for pair in pairs {
            #expect(pair.endpoint.rtcpPort == pair.endpoint.port + 1)
            #expect(pair.endpoint.ip == "host.example")
            #expect(!pair.endpoint.isIPv6)
        }
    }

    @Test func `where no port is left nothing is opened, and a closed socket's port is free again`() throws {
        var (source, pairs, _) = try exhausted()
        for usesRTCPMux in [true, false] {
            let error = #expect(throws: MediaError.self) { try source.open(usesRTCPMux: usesRTCPMux) }
            #expect(error?.code == .overloaded)
            #expect(error?.message.contains("--plain-ports") == true)
        }
        let port = pairs.removeLast().endpoint.port
        let single = try source.open(usesRTCPMux: true)
        #expect([port, port + 1].contains(single.endpoint.port))
        #expect(single.endpoint.rtcpPort == nil)
        // One port is left, which is no pair.
        #expect(throws: MediaError.self) { try source.open(usesRTCPMux: false) }
    }

    @Test func `an address that is not this machine's is the system's error`() {
        let source = PlainPorts(
            address: IPAddressPort(ipv4: 0xC000_0201, port: 0), ip: "192.0.2.1", ports: 23_000...23_003)
        let error = #expect(throws: MediaError.self) { try source.open(usesRTCPMux: true) }
        #expect(error?.code == .system)
    }

    @Test(arguments: [
        ("0.0.0.0", false), ("255.255.255.255", false), ("224.0.0.1", false), ("239.255.0.1", false), ("::", false),
        ("ff02::1", false), ("::ffff:224.0.0.1", false), ("192.0.2", false), ("", false), ("localhost", false),
        ("192.0.2.1", true), ("127.0.0.1", true), ("2001:db8::1", true), ("::1", true),
    ]) func `a client's address is one host's`(text: String, isOne: Bool) {
        #expect((PlainRemote(ip: text, port: 1, rtcpPort: 2) != nil) == isOne)
    }
}
