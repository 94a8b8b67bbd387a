import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

@Suite("Warnings of transports")
struct TransportWarningTests {
    private func fields(_ entry: JSONValue?) -> [String: JSONValue] {
        if case .object(let fields)? = entry { fields } else { [:] }
    }

    private func warnings(_ room: Room) async -> [String] {
        await room.snapshot(withStatistics: false).peers.flatMap(\.transports).flatMap(\.warnings).map(\.kind.rawValue)
    }

    @Test func `they are in the room's state and events until they are over`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        let (key, queue) = try #require(fixture.plane.transports.first)
        #expect(await warnings(alice.room) == [])

        queue.append(.warningRaised(key, TransportWarning(.nothingReceived)))
        await alice.room.drain()
        #expect(await warnings(alice.room) == ["nothing-received"])
        // Something has come.
        let unmatched = TransportWarning(.unmatchedPackets, packets: 50, ssrc: SSRC(4321), payloadType: 111)
        queue.append(.warningRaised(key, unmatched))
        await alice.room.drain()
        #expect(await warnings(alice.room) == ["unmatched-packets"])
        let shown = fields(unmatched.json)
        #expect(shown["ssrc"] == .integer(4321) && shown["payloadType"] == .integer(111))
        #expect(shown["packets"] == .integer(50) && shown["remoteIp"] == nil)
        queue.append(.warningCleared(key, .unmatchedPackets))
        await alice.room.drain()
        #expect(await warnings(alice.room) == [])

        let names = await alice.room.recentEvents.map(\.kind.name).filter { $0.hasPrefix("transport-warning") }
        #expect(names == ["transport-warning", "transport-warning", "transport-warning-cleared"])
        await alice.room.disconnected(alice.session)
        // Of a transport that is closed meanwhile nothing is kept.
        queue.append(.warningRaised(key, unmatched))
        await alice.room.drain()
    }

    @Test(arguments: TransportWarning.Kind.allCases)
    func `each says what to look at`(_ kind: TransportWarning.Kind) {
        let warning = TransportWarning(kind, remoteAddress: "192.0.2.1")
        #expect(warning.message.count > 60 && !warning.message.hasSuffix("."))
        #expect(kind != .destinationNotAllowed || warning.message.contains("192.0.2.1"))
    }
}
