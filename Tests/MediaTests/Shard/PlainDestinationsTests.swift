import Testing

@testable import RoundhouseMedia

@Suite("Where plain RTP may be sent")
struct PlainDestinationsTests {
    private func address(_ text: String, port: UInt16 = 0) throws -> IPAddressPort {
        try #require(IPAddressPort(text: text, port: port))
    }

    private func remote(_ text: String) throws -> PlainRemote {
        try #require(PlainRemote(ip: text, port: 5004, rtcpPort: 5005))
    }

    @Test(arguments: [
        "127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "172.16.0.1", "100.64.0.1", "198.51.100.9", "::1",
        "fe80::1", "fd00::1", "2001:db8::1", "::ffff:127.0.0.1", "203.0.113.1",
    ])
    func `nothing is admitted that nobody allowed or asked from`(_ ip: String) throws {
        let destinations = PlainDestinations(
            ranges: [], requester: try address("192.0.2.7"), own: [try address("203.0.113.1")])
        #expect(!destinations.admits(try remote(ip)))
        #expect(destinations.admits(try remote("192.0.2.7")))
    }

    @Test func `the operator's ranges are admitted, whatever they are`() throws {
        let ranges = ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"].compactMap(IPAddressRange.init)
        let destinations = PlainDestinations(ranges: ranges)
        for ip in ["127.0.0.1", "10.255.0.1", "2001:db8:ffff::1", "::ffff:10.0.0.1"] {
            #expect(destinations.admits(try remote(ip)), "\(ip)")
        }
        for ip in ["127.0.0.2", "11.0.0.1", "2001:db9::1"] { #expect(!destinations.admits(try remote(ip)), "\(ip)") }
    }

    @Test func `a request from the server's own machine may be anybody's behind a proxy on it`() throws {
        let own = [try address("203.0.113.1"), try address("127.0.0.1")]
        for ip in ["127.0.0.1", "127.0.0.53", "203.0.113.1"] {
            let destinations = PlainDestinations(ranges: [], requester: try address(ip, port: 9), own: own)
            #expect(!destinations.admits(try remote(ip)), "\(ip)")
            #expect(destinations.admits(learned: try address(ip, port: 7)), "\(ip)")
        }
    }

    @Test(
        arguments: [
            ("127.0.0.1", "a loopback address"), ("::1", "a loopback address"), ("10.9.8.7", "a private address"),
            ("172.31.0.1", "a private address"), ("192.168.0.1", "a private address"),
            ("100.127.0.1", "a private address"),
            ("fd12::1", "a private address"), ("169.254.169.254", "a link-local address"),
            ("fe80::1", "a link-local address"), ("203.0.113.1", "the server's own address"), ("198.51.100.1", nil),
            ("172.32.0.1", nil), ("100.128.0.1", nil), ("2001:db8::1", nil),
        ] as [(String, String?)])
    func `an address's kind is named`(_ ip: String, _ kind: String?) throws {
        let destinations = PlainDestinations(ranges: [], own: [try address("203.0.113.1")])
        #expect(destinations.kind(of: try remote(ip)) == kind)
    }

    @Test(arguments: ["", "/8", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/-1", "example.com", "10.0.0.0/8/8"])
    func `what is no range is refused`(_ text: String) { #expect(IPAddressRange(text) == nil) }

    @Test func `the widest and the narrowest ranges hold what they say`() throws {
        let all = try #require(IPAddressRange("0.0.0.0/0"))
        #expect(try all.contains(address("255.1.2.3")))
        #expect(try !all.contains(address("::1")))
        let one = try #require(IPAddressRange("2001:db8::1"))
        #expect(try one.contains(address("2001:db8::1")))
        #expect(try !one.contains(address("2001:db8::2")))
        let half = try #require(IPAddressRange("2001:db8::/64"))
        #expect(try half.contains(address("2001:db8::ffff:1")))
        #expect(try !half.contains(address("2001:db8:0:1::")))
    }
}
