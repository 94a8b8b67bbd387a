import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

@Suite struct RoomBansTests {
    private let room = RoomID("room")

    private func ban(_ claim: PeerClaim, peer: String = "eve", until: Int64 = 1000) -> RoomBan {
        RoomBan(id: "1", peerID: PeerID(peer), displayName: "Eve", until: until, claim: claim)
    }

    @Test func `a ban is about a token, the peer that a token names, or an address`() {
        let token = ban(.token(Secret("a"), namesPeer: false))
        #expect(token.keepsOut(PeerID("x"), .token(Secret("a"), namesPeer: false)))
        #expect(!token.keepsOut(PeerID("eve"), .token(Secret("b"), namesPeer: false)))
        #expect(!token.keepsOut(PeerID("eve"), .address("192.0.2.1")))
        let named = ban(.token(Secret("a"), namesPeer: true))
        #expect(named.keepsOut(PeerID("eve"), .token(Secret("b"), namesPeer: true)))
        #expect(!named.keepsOut(PeerID("ann"), .token(Secret("b"), namesPeer: true)))
        let address = ban(.address("192.0.2.1"))
        #expect(address.keepsOut(PeerID("x"), .address("192.0.2.1")))
        #expect(!address.keepsOut(PeerID("eve"), .address("192.0.2.2")))
        #expect(!ban(.address("")).keepsOut(PeerID("eve"), .address("")))
    }

    @Test func `bans end, are lifted, and are bounded`() throws {
        var bans = RoomBans()
        let claim = PeerClaim.address("192.0.2.1")
        try bans.add(ban(claim), to: room, now: 0)
        #expect(bans.ban(of: PeerID("x"), claim, from: room, now: 999) != nil)
        #expect(bans.ban(of: PeerID("x"), claim, from: RoomID("other"), now: 0) == nil)
        #expect(
            bans.ban(of: PeerID("x"), claim, from: room, now: 1000) == nil && bans.list(of: room, now: 1000).isEmpty)
        #expect(!bans.lift("2", of: room, now: 0) && bans.lift("1", of: room, now: 0) && bans.count == 0)
        for number in 0..<RoomBans.limit { try bans.add(ban(claim), to: RoomID("r\(number % 7)"), now: 0) }
        #expect(throws: RoomError.self) { try bans.add(ban(claim), to: room, now: 999) }
        try bans.add(ban(claim, until: 2000), to: room, now: 1000)
        #expect(bans.count == 1)
    }

    @Test func `a banned client is sent away and does not come back under another name`() async throws {
        let fixture = try RoomFixture()
        _ = try await fixture.join("ann")
        let client = RecordingClient()
        let grant = PeerGrant(claim: .address("192.0.2.1"))
        let (room, _) = try await fixture.registry.connect(
            PeerID("eve"), to: RoomID("room"), grant: grant, through: client)
        let ban = try #require(try await fixture.registry.ban(PeerID("eve"), from: room, seconds: 60))
        #expect(client.closed == .banned)
        #expect(fixture.registry.bans(of: RoomID("room")) == [ban])
        await expectRefusal(.forbidden) {
            try await fixture.registry.connect(
                PeerID("mallory"), to: RoomID("room"), grant: grant, through: RecordingClient())
        }
        _ = try await fixture.registry.connect(
            PeerID("mallory"), to: RoomID("other"), grant: grant, through: RecordingClient())
        #expect(fixture.registry.liftBan(ban.id, of: RoomID("room")))
        _ = try await fixture.registry.connect(
            PeerID("mallory"), to: RoomID("room"), grant: grant, through: RecordingClient())
        let nobody = try await fixture.registry.ban(PeerID("nobody"), from: room, seconds: 60)
        #expect(nobody == nil)
        await expectRefusal(.wrongState) { try await fixture.registry.ban(PeerID("ann"), from: room, seconds: 60) }
    }
}
