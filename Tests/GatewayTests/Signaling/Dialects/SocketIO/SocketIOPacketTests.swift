import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

@Suite struct SocketIOPacketTests {
    @Test(arguments: [
        ("0", SocketIOPacket(kind: .connect)),
        ("0{\"token\":\"t\"}", SocketIOPacket(kind: .connect, data: .object(["token": .string("t")]))),
        ("0/admin,", SocketIOPacket(kind: .connect, namespace: "/admin")),
        ("0/admin,{}", SocketIOPacket(kind: .connect, namespace: "/admin", data: .object([:]))),
        ("1", SocketIOPacket(kind: .disconnect)),
        ("2[\"resume\"]", .event("resume", [])),
        ("213[\"exitRoom\",{}]", .event("exitRoom", [.object([:])], id: 13)),
        ("30[]", .ack(0, [])), ("37[\"success\"]", .ack(7, [.string("success")])),
    ])
    func `a packet is read and written back as it was`(text: String, packet: SocketIOPacket) throws {
        #expect(try SocketIOPacket(parsing: text) == packet)
        #expect(packet.text == text)
    }

    @Test func `an old client's query belongs to no namespace's name`() throws {
        #expect(try SocketIOPacket(parsing: "0/?token=1,").namespace == "/")
        #expect(try SocketIOPacket(parsing: "0/admin?x=1").namespace == "/admin")
    }

    @Test(arguments: [
        ("", SocketIOPacket.FormatError.empty), ("9", .unknownType), ("é", .unknownType),
        ("51-[\"x\",{\"_placeholder\":true,\"num\":0}]", .binary), ("60-[]", .binary),
        ("299999999999999999999[\"x\"]", .badID), ("2[\"x\"", .badJSON), ("2nonsense", .badJSON), ("2[1]x", .badJSON),
        ("2", .badData), ("2{}", .badData), ("2[]", .badData), ("2[1]", .badData), ("3[]", .badData),
        ("31{}", .badData),
        ("0[]", .badData), ("1{}", .badData), ("4{}", .badData),
    ])
    func `what no client may send says why`(text: String, error: SocketIOPacket.FormatError) {
        #expect(throws: error) { try SocketIOPacket(parsing: text) }
    }

    @Test func `a packet cut anywhere is refused or means less, and never traps`() {
        let text = "2/,17[\"join\",{\"room_id\":\"123456789\",\"name\":\"Zoë\"}]"
        #expect(throws: Never.self) { try SocketIOPacket(parsing: text) }
        var rejected = 0
        for end in text.indices where (try? SocketIOPacket(parsing: String(text[..<end]))) == nil { rejected += 1 }
        #expect(rejected == text.count)
    }

    @Test func `nesting deeper than any message is refused`() {
        let deep = String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)
        #expect(throws: SocketIOPacket.FormatError.badJSON) { try SocketIOPacket(parsing: "2[\"x\",\(deep)]") }
    }

    @Test func `an event's first argument is what matters`() throws {
        let event = try #require(try SocketIOPacket(parsing: "2[\"a user\",{\"x\":1},2]").event)
        #expect(event.name == "a user")
        #expect(event.argument == .object(["x": .integer(1)]))
        #expect(try SocketIOPacket(parsing: "2[\"bare\"]").event?.argument == .null)
    }
}
