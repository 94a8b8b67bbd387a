import Testing

@testable import RoundhouseMedia

@Suite("Announced addresses")
struct AnnouncedAddressTests {
    @Test(arguments: [
        ("203.0.113.10", "203.0.113.10"), ("2001:db8::10", "2001:db8::10"), ("[2001:db8::1]", "2001:db8::1"),
        ("media.example.org", "media.example.org"), ("localhost", "localhost"), ("a-1.xn--p1ai", "a-1.xn--p1ai"),
    ])
    func `an address or a host name is taken, without brackets`(given: String, text: String) {
        #expect(AnnouncedAddress(given)?.text == text)
    }

    @Test(arguments: [
        "", "not a name", "http://203.0.113.5/", "203.0.113.5:44444", "[203.0.113.5]", "[2001:db8::1]:443", "[media]",
        "0.0.0.0", "::", "256.1.1.1", "203.0.113", "-a.example", "a-.example", "a..example", "example.", "ex_ample.org",
        "bücher.example", String(repeating: "a", count: 64) + ".example",
        Array(repeating: "abcdefg", count: 32).joined(separator: "."),
    ])
    func `what no browser would read in a candidate is not`(given: String) {
        #expect(AnnouncedAddress(given) == nil)
    }

    @Test func `each family's addresses stand for those of the machine, and where there are none these stay`() throws {
        let bound4 = try #require(IPAddressPort(text: "10.0.0.7", port: 1))
        let bound6 = try #require(IPAddressPort(text: "2001:db8::7", port: 1))
        func texts(_ announced: String...) throws -> [[String]] {
            let addresses = try announced.map { try #require(AnnouncedAddress($0)) }
            return [addresses.texts(for: bound4), addresses.texts(for: bound6)]
        }
        #expect(try texts() == [["10.0.0.7"], ["2001:db8::7"]])
        #expect(try texts("203.0.113.1") == [["203.0.113.1"], ["2001:db8::7"]])
        #expect(try texts("203.0.113.1", "2001:db8::1") == [["203.0.113.1"], ["2001:db8::1"]])
        #expect(try texts("203.0.113.1", "203.0.113.2") == [["203.0.113.1", "203.0.113.2"], ["2001:db8::7"]])
        #expect(try texts("media.example", "203.0.113.1") == [["media.example", "203.0.113.1"], ["media.example"]])
    }
}
