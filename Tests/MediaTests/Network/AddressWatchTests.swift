import Testing

@testable import RoundhouseMedia

@Suite("Addresses that come and go")
struct AddressWatchTests {
    private let loopback = IPAddressPort(ipv4: 0x7F00_0001, port: 0)
    private let cable = IPAddressPort(ipv4: 0x0A63_0007, port: 0)
    private let tunnel = IPAddressPort(ipv4: 0x0A08_0002, port: 0)
    private let named = IPAddressPort(ipv6High: 0x2001_0DB8_0000_0000, low: 1, port: 0)

    private func at(_ seconds: Int) -> MediaInstant { MediaInstant(nanoseconds: 0) + .seconds(seconds) }

    private func look(_ watch: inout AddressWatch, _ present: [IPAddressPort], second: Int) -> AddressWatch.Change {
        watch.looked(present, at: at(second)) { $0.family == .ipv4 }
    }

    @Test func `a start before the network is made good`() {
        var watch = AddressWatch(bound: [loopback])
        #expect(look(&watch, [loopback], second: 1) == AddressWatch.Change())
        #expect(look(&watch, [loopback, cable], second: 2).open == [cable])
        // It could not be bound yet, and is tried again.
        #expect(look(&watch, [loopback, cable], second: 3).open == [cable])
        watch.opened(cable)
        #expect(watch.announced == [cable, loopback])
        #expect(look(&watch, [loopback, cable], second: 4) == AddressWatch.Change())
    }

    @Test func `what is gone is announced no more, and closed if it does not come back`() {
        var watch = AddressWatch(bound: [cable, tunnel, loopback])
        var gone = look(&watch, [cable, loopback], second: 1)
        #expect(gone.isAnnouncedChanged && gone.close.isEmpty)
        #expect(watch.announced == [cable, loopback])
        #expect(look(&watch, [cable, tunnel, loopback], second: 50).isAnnouncedChanged)
        #expect(watch.announced == [cable, tunnel, loopback])
        gone = look(&watch, [cable, loopback], second: 60)
        #expect(look(&watch, [cable, loopback], second: 119).close.isEmpty)
        #expect(look(&watch, [cable, loopback], second: 120).close == [tunnel])
        #expect(look(&watch, [cable, tunnel, loopback], second: 121).open == [tunnel])
    }

    @Test func `an address that was given by name stays`() {
        var watch = AddressWatch(bound: [named, cable])
        #expect(look(&watch, [cable], second: 1) == AddressWatch.Change())
        #expect(look(&watch, [cable], second: 100) == AddressWatch.Change())
        #expect(watch.announced == [named, cable])
    }

    @Test func `there are at most as many as a shard has sockets`() {
        var watch = AddressWatch(bound: [loopback], capacity: 3)
        let many = (1...9).map { IPAddressPort(ipv4: 0x0A00_0000 + UInt32($0), port: 0) }
        let change = look(&watch, [loopback] + many, second: 1)
        #expect(change.open == Array(many.prefix(2)))
        for address in change.open { watch.opened(address) }
        #expect(look(&watch, [loopback] + many, second: 2).open.isEmpty)
        // Each that goes makes room for one.
        _ = look(&watch, [loopback, many[1]] + many[2...], second: 3)
        let later = look(&watch, [loopback, many[1]] + many[2...], second: 63)
        #expect(later.close == [many[0]] && later.open == [many[2]])
    }
}
