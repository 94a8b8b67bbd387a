import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

@Suite struct RoomPlansTests {
    private let id = RoomID("class")

    @Test func `a plan ends in time, but not under those who are in the room`() throws {
        var plans = RoomPlans()
        try plans.add(RoomPlan(password: Secret("open sesame"), until: 1000), for: id, now: 0)
        #expect(plans.plan(of: id, now: 999)?.password == Secret("open sesame"))
        #expect(plans.plan(of: id, now: 1000) == nil && plans.names(now: 1000).isEmpty)
        plans.roomOpened(id, now: 999)
        #expect(plans.plan(of: id, now: 5000)?.password == Secret("open sesame"))
        plans.roomClosed(id)
        #expect(plans.plan(of: id, now: 5000) == nil)
        // A room of the same name that opens later has nothing of it.
        plans.roomOpened(id, now: 5000)
        #expect(plans.plan(of: id, now: 5000) == nil && plans.count == 0)
    }

    @Test func `plans are bounded, and those that have ended make room`() throws {
        var plans = RoomPlans()
        for number in 0..<RoomPlans.limit {
            try plans.add(RoomPlan(until: number == 0 ? 10 : 1000), for: RoomID("r\(number)"), now: 0)
        }
        let refusal = #expect(throws: RoomError.self) { try plans.add(RoomPlan(until: 1000), for: id, now: 9) }
        #expect(refusal?.code == .limitReached)
        try plans.add(RoomPlan(until: 1000), for: id, now: 10)
        #expect(plans.count == RoomPlans.limit)
    }

    @Test func `a room that was made ahead has its password, its limit and its codecs whenever it is open`()
        async throws
    {
        let fixture = try RoomFixture()
        let plan = RoomPlan(
            password: Secret("open sesame"), maximumPeers: 1, codecs: ["audio/opus", "video/vp8"],
            metadata: .object(["course": .string("Greek")]), until: .max)
        let made = try fixture.registry.plan(plan, for: id)
        #expect(made == id)
        let again = try fixture.registry.plan(plan, for: id)
        #expect(again == nil)
        #expect(fixture.registry.existence(of: id) == (true, true))
        #expect(
            fixture.registry.summary(of: id)?.counts.peers == 0 && fixture.registry.summary(of: id)?.openedAt == nil)
        for _ in 0..<2 {
            await expectRefusal(.wrongPassword) { try await fixture.connect("ann", to: "class") }
            let (room, ann) = try await fixture.registry.connect(
                PeerID("ann"), to: id, password: "open sesame", through: RecordingClient())
            await expectRefusal(.limitReached) {
                try await fixture.registry.connect(
                    PeerID("ben"), to: id, password: "open sesame", through: RecordingClient())
            }
            let codecs = room.routerCapabilities.codecs
            #expect(codecs.map(\.mimeType) == ["audio/opus", "video/VP8", "video/rtx"])
            #expect(codecs == fixture.registry.routerCapabilities(of: id).codecs)
            // The numbers are those of every router.
            #expect(codecs.allSatisfy { fixture.registry.routerCapabilities.codecs.contains($0) })
            // Other limits of the server's own do not loosen it.
            await fixture.registry.apply(limits: RoomConfiguration(maximumPeers: 50))
            await expectRefusal(.limitReached) {
                try await fixture.registry.connect(
                    PeerID("ben"), to: id, password: "open sesame", through: RecordingClient())
            }
            await room.disconnected(ann)
        }
        #expect(fixture.registry.forgetPlan(of: id) && fixture.registry.summary(of: id) == nil)
        _ = try await fixture.connect("ann", to: "class")
    }

    @Test func `a codec that the server has not is named, and a name can be left to the server`() throws {
        let fixture = try RoomFixture()
        let refusal = #expect(throws: RoomError.self) {
            try fixture.registry.plan(RoomPlan(codecs: ["video/h266"], until: .max), for: nil)
        }
        #expect(refusal?.code == .unsupported && refusal?.message.contains("video/h266") == true)
        let first = try #require(try fixture.registry.plan(RoomPlan(until: .max), for: nil))
        let second = try #require(try fixture.registry.plan(RoomPlan(until: .max), for: nil))
        #expect(first != second && first.rawValue.count == 9)
    }
}
