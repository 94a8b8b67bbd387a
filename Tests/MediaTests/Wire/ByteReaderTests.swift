import Testing

@testable import RoundhouseMedia

@Suite("Byte reader and writer")
struct ByteReaderTests {
    @Test func `what is written in each width is read back`() throws {
        let bytes = try WireSamples.written { (writer) throws(WireError) in
            try writer.writeUInt8(0x12)
            try writer.writeUInt16(0x3456)
            try writer.writeUInt24(0x789ABC)
            try writer.writeUInt32(0xDEF0_1234)
            try writer.writeUInt64(0x5678_9ABC_DEF0_1234)
            try writer.writeZeros(2)
            try writer.writeText("ab")
        }
        #expect(bytes == WireSamples.hex("12 3456 789abc def01234 56789abcdef01234 0000 6162"))
        try bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            #expect(try reader.readUInt8() == 0x12)
            #expect(try reader.readUInt16() == 0x3456)
            #expect(try reader.readUInt24() == 0x789ABC)
            #expect(try reader.readUInt32() == 0xDEF0_1234)
            #expect(try reader.readUInt64() == 0x5678_9ABC_DEF0_1234)
            try reader.skip(2)
            #expect(reader.remaining == 2)
            #expect(Array(reader.readRemaining()) == [0x61, 0x62])
            #expect(reader.remaining == 0)
        }
    }

    @Test(arguments: 0..<8)
    func `a read beyond the end throws and moves nothing`(count: Int) throws {
        [UInt8](repeating: 1, count: count).withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            #expect(throws: WireError.truncated) { try reader.readUInt64() }
            #expect(throws: WireError.truncated) { try reader.readBytes(count + 1) }
            #expect(throws: WireError.truncated) { try reader.readBytes(-1) }
            #expect(throws: WireError.truncated) { try reader.readBytes(.max) }
            #expect(throws: WireError.truncated) { try reader.skip(.max) }
            #expect(reader.offset == 0)
        }
    }

    @Test func `a write beyond the end throws and leaves the count`() throws {
        let bytes = try WireSamples.written(capacity: 1) { (writer) throws(WireError) in
            #expect(throws: WireError.noSpace) { try writer.writeUInt16(1) }
            #expect(throws: WireError.noSpace) { try writer.writeUInt24(1) }
            #expect(throws: WireError.noSpace) { try writer.writeUInt32(1) }
            #expect(throws: WireError.noSpace) { try writer.writeUInt64(1) }
            #expect(throws: WireError.noSpace) { try writer.writeZeros(2) }
            #expect(throws: WireError.noSpace) { try writer.overwriteUInt16(1, at: 0) }
            try writer.writeUInt8(7)
            #expect(throws: WireError.noSpace) { try writer.writeUInt8(8) }
            #expect(throws: WireError.noSpace) { try writer.overwriteUInt16(8, at: 0) }
        }
        #expect(bytes == [7])
    }

    @Test(arguments: [(-1, 1), (0, 5), (4, 1), (5, 0), (2, .max), (.max, 1)])
    func `a view outside the buffer is nil`(offset: Int, count: Int) {
        [UInt8](repeating: 0, count: 4).withUnsafeBytes { #expect($0.view(from: offset, count: count) == nil) }
    }
}

@Suite("Datagram kinds")
struct DatagramKindTests {
    private func kind(_ bytes: [UInt8]) -> DatagramKind { bytes.withUnsafeBytes { DatagramKind.classify($0) } }

    @Test func `first bytes and lengths distinguish the protocols`() {
        let stun = WireSamples.hex("0001 0000 2112a442 000000000000000000000000")
        #expect(kind(stun) == .stun)
        #expect(kind(Array(stun[..<19])) == .unknown)
        #expect(kind(WireSamples.hex("0001 0000 2112a443 000000000000000000000000")) == .unknown)
        for first in UInt8(20)...63 { #expect(kind([first] + [UInt8](repeating: 0, count: 12)) == .dtls) }
        #expect(kind([UInt8](repeating: 22, count: 12)) == .unknown)
        #expect(kind([19] + [UInt8](repeating: 0, count: 30)) == .unknown)
        #expect(kind([64] + [UInt8](repeating: 0, count: 30)) == .unknown)
        #expect(kind([0x80, 200, 0, 0]) == .rtcp)
        #expect(kind([0x81, 223, 0, 0]) == .rtcp)
        #expect(kind([0x80, 200, 0]) == .unknown)
        #expect(kind([0x80, 191] + [UInt8](repeating: 0, count: 10)) == .rtp)
        #expect(kind([0xBF, 224] + [UInt8](repeating: 0, count: 10)) == .rtp)
        #expect(kind([0x80, 96] + [UInt8](repeating: 0, count: 9)) == .unknown)
        #expect(kind([192] + [UInt8](repeating: 0, count: 30)) == .unknown)
        #expect(kind([]) == .unknown)
    }
}

@Suite("Addresses")
struct IPAddressPortTests {
    @Test func `addresses read as RFC 5952 recommends`() {
        #expect(IPAddressPort(ipv4: 0x7F00_0001, port: 80).description == "127.0.0.1:80")
        let documentation: UInt64 = 0x2001_0DB8_0000_0000
        #expect(IPAddressPort(ipv6High: documentation, low: 1, port: 5).description == "[2001:db8::1]:5")
        #expect(IPAddressPort(ipv6High: 0, low: 0, port: 0).addressText == "::")
        #expect(IPAddressPort(ipv6High: 0, low: 1, port: 0).addressText == "::1")
        #expect(IPAddressPort(ipv6High: documentation, low: 0, port: 0).addressText == "2001:db8::")
        #expect(
            IPAddressPort(ipv6High: 0x2001_0000_0000_0001, low: 1, port: 0).addressText == "2001:0:0:1::1",
            "the longer run is shortened")
        #expect(
            IPAddressPort(ipv6High: 0x2001_0DB8_0000_0001, low: 0x0001_0001_0001_0001, port: 0).addressText
                == "2001:db8:0:1:1:1:1:1", "one zero group stays")
    }

    @Test func `an IPv4-mapped address equals the IPv4 address`() {
        #expect(
            IPAddressPort(ipv6High: 0, low: 0xFFFF_C000_0201, port: 9) == IPAddressPort(ipv4: 0xC000_0201, port: 9))
        #expect(IPAddressPort(ipv6High: 0, low: 0xC000_0201, port: 9).family == .ipv6)
    }
}
