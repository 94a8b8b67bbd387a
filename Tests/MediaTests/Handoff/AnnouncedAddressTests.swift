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

    @Test(arguments: [
        "10.0.0.5=", "=203.0.113.1", "0.0.0.0=203.0.113.1", "a.example=203.0.113.1", "10.0.0.5=2001:db8::1",
        "10.0.0.5:1=203.0.113.1", "10.0.0.5=203.0.113.1=203.0.113.2",
    ]) func `what stands for one address needs that address and one of its family`(given: String) {
        #expect(AnnouncedAddress(given) == nil)
    }

    @Test func `what stands for one address alone comes before what stands for all`() throws {
        let announced = try ["10.0.0.5=203.0.113.5", "[2001:db8::5]=media.example", "203.0.113.1"].map {
            try #require(AnnouncedAddress($0))
        }
        #expect(announced.map(\.boundAddress) == ["10.0.0.5", "2001:db8::5", nil])
        let expected = [
            "10.0.0.5": ["203.0.113.5"], "10.0.0.6": ["203.0.113.1"], "2001:db8::5": ["media.example"],
            "2001:db8::6": ["2001:db8::6"],
        ]
        for (bound, texts) in expected {
            #expect(announced.texts(for: try #require(IPAddressPort(text: bound, port: 7))) == texts)
        }
        let resolved = try #require(announced[1].resolved(to: "2001:db8::77"))
        #expect(resolved.text == "2001:db8::77" && resolved.boundAddress == "2001:db8::5")
        #expect(announced[1].resolved(to: "10.0.0.1=10.0.0.2") == nil)
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
