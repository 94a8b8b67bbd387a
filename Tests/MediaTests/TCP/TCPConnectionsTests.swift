import Testing

@testable import RoundhouseMedia

@Suite("Clients that connect over TCP")
struct TCPConnectionsTests {
    private static let start = MediaInstant(nanoseconds: 1_000_000_000)
    private static let local = IPAddressPort(ipv4: 0x0A00_0001, port: 40_000)

    private static func remote(_ address: Int, port: Int = 1) -> IPAddressPort {
        IPAddressPort(ipv4: 0x0B00_0000 + UInt32(address), port: UInt16(port))
    }

    @Test func `of one address, and of one IPv6 network, only so many connections wait`() {
        var admission = TCPAdmission()
        for port in 1...TCPAdmission.mostWaitingOfAddress {
            #expect(admission.connected(Self.remote(1, port: port), at: Self.start) == true)
        }
        #expect(admission.connected(Self.remote(1, port: 9_999), at: Self.start) == false)
        #expect(admission.connected(Self.remote(2), at: Self.start) == true)
        admission.ended(Self.remote(1, port: 5))
        #expect(admission.connected(Self.remote(1, port: 9_999), at: Self.start) == true)
        for low in 1...UInt64(TCPAdmission.mostWaitingOfAddress) {
            #expect(admission.connected(IPAddressPort(ipv6High: 7, low: low, port: 1), at: Self.start) == true)
        }
        #expect(admission.connected(IPAddressPort(ipv6High: 7, low: 999, port: 1), at: Self.start) == false)
        #expect(admission.connected(IPAddressPort(ipv6High: 8, low: 999, port: 1), at: Self.start) == true)
    }

    @Test func `so many wait in all, and so many come in a second`() {
        var admission = TCPAdmission()
        var accepted = 0
        for address in 0..<2_000 where admission.connected(Self.remote(address), at: Self.start) { accepted += 1 }
        #expect(accepted == min(TCPAdmission.mostWaiting, TCPAdmission.burst))
        #expect(admission.waitingCount == accepted)
        // They show what they are at once: then only the pace counts.
        for address in 0..<accepted { admission.ended(Self.remote(address)) }
        #expect(admission.waitingCount == 0)
        #expect(admission.connected(Self.remote(1), at: Self.start) == false)
        var later = 0
        for address in 0..<2_000 where admission.connected(Self.remote(address), at: Self.start + .seconds(1)) {
            later += 1
        }
        #expect(later == TCPAdmission.rate)
    }

    @Test func `a connection without a valid check is over after ten seconds, others stay`() throws {
        var connections = TCPConnections()
        let first = connections.insert(Self.remote(1), local: Self.local, at: Self.start)
        let second = connections.insert(Self.remote(2), local: Self.local, at: Self.start)
        let (silent, client) = (try #require(first), try #require(second))
        let known = connections.connection(client)
        connections.checked(try #require(known))
        #expect(connections.nextDeadline == Self.start + .seconds(10))
        #expect(connections.popExpired(at: Self.start + .milliseconds(9_999)) == nil)
        let popped = connections.popExpired(at: Self.start + .seconds(10))
        let expired = try #require(popped)
        #expect(TCPConnections.number(of: expired) == silent)
        connections.remove(expired)
        #expect(connections.popExpired(at: Self.start + .seconds(10)) == nil)
        #expect(connections.nextDeadline == nil && connections.all.count == 1)
        // Its number may be another one's now, which has ten seconds of its own.
        let next = connections.insert(Self.remote(3), local: Self.local, at: Self.start + .seconds(11))
        #expect(next == silent)
        #expect(connections.popExpired(at: Self.start + .seconds(20)) == nil)
        #expect(connections.popExpired(at: Self.start + .seconds(21)) != nil)
    }
}
