import Testing

@testable import RoundhouseGateway

@Suite struct EnginePacketTests {
    @Test(arguments: [
        ("0{\"sid\":\"x\"}", EnginePacket(.open, "{\"sid\":\"x\"}")), ("1", EnginePacket(.close)),
        ("2probe", EnginePacket(.ping, "probe")), ("3", EnginePacket(.pong)),
        ("4hello", EnginePacket(.message, "hello")),
        ("5", EnginePacket(.upgrade)), ("6", EnginePacket(.noop)), ("4€", EnginePacket(.message, "€")),
    ])
    func `a packet is read and written back as it was`(text: String, packet: EnginePacket) throws {
        #expect(try EnginePacket(parsing: text.utf8) == packet)
        #expect(packet.text == text)
        #expect(packet.count == text.utf8.count)
    }

    @Test(arguments: [
        ([], EnginePacket.FormatError.empty), (Array("7".utf8), .unknownType), (Array("x4".utf8), .unknownType),
        (Array("bAQID".utf8), .binary), ([0x34, 0xFF], .notText), ([0x34, 0xE2, 0x82], .notText),
    ])
    func `bytes that are no packet say why`(bytes: [UInt8], error: EnginePacket.FormatError) {
        #expect(throws: error) { try EnginePacket(parsing: bytes) }
    }

    @Test func `a payload holds packets with a record separator between`() throws {
        let packets = [EnginePacket(.message, "a"), EnginePacket(.ping), EnginePacket(.message, "€")]
        let bytes = EnginePayload.bytes(of: packets)
        #expect(bytes == Array("4a\u{1e}2\u{1e}4€".utf8))
        #expect(try EnginePayload.packets(in: bytes) == packets)
    }

    @Test(arguments: ["", "\u{1e}", "4a\u{1e}", "\u{1e}4a", "4a\u{1e}\u{1e}4b", "4a\u{1e}9"])
    func `a payload with a hole or a stranger in it is refused whole`(text: String) {
        #expect(throws: EnginePacket.FormatError.self) { try EnginePayload.packets(in: Array(text.utf8)) }
    }

    @Test func `a payload cut anywhere is an error or shorter packets, never a trap`() {
        let bytes = EnginePayload.bytes(of: [
            EnginePacket(.message, "2[\"join\",{\"name\":\"Zoë\"}]"), EnginePacket(.pong),
        ])
        for count in 0..<bytes.count {
            guard let packets = try? EnginePayload.packets(in: Array(bytes[..<count])) else { continue }
            #expect(EnginePayload.bytes(of: packets) == Array(bytes[..<count]))
        }
    }

    @Test func `more packets than any client sends are refused`() throws {
        let most = Array(repeating: EnginePacket(.noop), count: EnginePayload.packetLimit)
        #expect(try EnginePayload.packets(in: EnginePayload.bytes(of: most)).count == most.count)
        #expect(throws: EnginePacket.FormatError.tooManyPackets) {
            try EnginePayload.packets(in: EnginePayload.bytes(of: most + [EnginePacket(.noop)]))
        }
    }
}
