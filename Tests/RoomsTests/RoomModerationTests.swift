import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

/// What moderators do about everybody, and about what one peer may do.
@Suite(.timeLimit(.minutes(15))) struct RoomModerationTests {
    private static func isPaused(_ id: ProducerID, in room: Room) async -> Bool? {
        let snapshot = await room.snapshot(withStatistics: false)
        return snapshot.peers.flatMap(\.transports).flatMap(\.producers).first { $0.id == id }?.isPaused
    }

    @Test func `everybody is muted but those who are left out, and knows it`() async throws {
        let fixture = try RoomFixture()
        let ann = try await fixture.join("ann")
        let ben = try await fixture.join("ben")
        let anns = try await ann.produce(.audio, audioParameters(ssrc: 1))
        let bens = try await ben.produce(.audio, audioParameters(ssrc: 2))
        let picture = try await ben.produce(.video, simulcastParameters())
        let count = try await ann.room.pauseProducers(of: .audio, except: [PeerID("ann")])
        #expect(count == 1)
        #expect(await Self.isPaused(bens, in: ann.room) == true)
        #expect(await Self.isPaused(anns, in: ann.room) == false)
        #expect(await Self.isPaused(picture, in: ann.room) == false)
        #expect(ben.client.log.contains("producerPaused") && !ann.client.log.contains("producerPaused"))
        // It is no lock: its owner goes on when she likes.
        try await ben.request(.resumeProducer(bens))
        #expect(await Self.isPaused(bens, in: ann.room) == false)
    }

    @Test func `a locked room lets in moderators, and whoever comes back in time`() async throws {
        let fixture = try RoomFixture()
        let ann = try await fixture.join("ann")
        await ann.room.setLocked(true)
        await ann.room.setLocked(true)
        #expect(ann.client.log.count { $0 == "roomLockChanged" } == 1)
        #expect(fixture.registry.summary(of: RoomID("room"))?.isLocked == true)
        await expectRefusal(.roomLocked) { try await fixture.connect("ben") }
        _ = try await fixture.registry.connect(
            PeerID("mod"), to: RoomID("room"), grant: PeerGrant(permissions: [.all, .moderate]),
            through: RecordingClient())
        // The same peer on another network.
        let again = try await fixture.connect("ann")
        guard case .joined(let answer) = try await again.request(.join(JoinRequest(displayName: "Ann"))) else {
            throw RoomError(.internalError, "not joined")
        }
        #expect(answer.isRoomLocked)
        await again.room.setLocked(false)
        _ = try await fixture.connect("ben")
        let kinds = await again.room.recentEvents.map(\.kind.name)
        #expect(kinds.filter { $0.hasPrefix("room-") } == ["room-opened", "room-locked", "room-unlocked"])
    }

    @Test func `a peer whose right to publish is taken is paused, and cannot go on until it is given back`()
        async throws
    {
        let fixture = try RoomFixture()
        let ann = try await fixture.join("ann")
        let sound = try await ann.produce(.audio, audioParameters())
        let isThere = try await ann.room.changePermissions(of: PeerID("ann"), granting: [], taking: .publish)
        #expect(isThere)
        #expect(await Self.isPaused(sound, in: ann.room) == true)
        #expect(ann.client.log.suffix(2) == ["permissionsChanged", "producerPaused"])
        await expectRefusal(.forbidden) { try await ann.request(.resumeProducer(sound)) }
        await expectRefusal(.forbidden) { try await ann.produce(.video, simulcastParameters()) }
        _ = try await ann.room.changePermissions(of: PeerID("ann"), granting: .publish, taking: [])
        try await ann.request(.resumeProducer(sound))
        #expect(await Self.isPaused(sound, in: ann.room) == false)
        let nobody = try await ann.room.changePermissions(of: PeerID("nobody"), granting: .publish, taking: [])
        #expect(!nobody)
    }

    @Test func `a peer whose right to receive is taken loses its consumers, and gets them again with the right`()
        async throws
    {
        let fixture = try RoomFixture()
        let ann = try await fixture.join("ann")
        _ = try await ann.produce(.audio, audioParameters())
        let ben = try await fixture.join("ben")
        await ben.answer(.accepted)
        ben.client.forget()
        _ = try await ben.room.changePermissions(of: PeerID("ben"), granting: [], taking: .subscribe)
        #expect(ben.client.log == ["permissionsChanged", "consumerClosed"])
        _ = try await ann.produce(.video, simulcastParameters())
        #expect(ben.client.log.count == 2)
        _ = try await ben.room.changePermissions(of: PeerID("ben"), granting: .subscribe, taking: [])
        #expect(ben.client.log.suffix(3) == ["permissionsChanged", "newConsumer", "newConsumer"])
    }

    @Test func `moderating is the token's matter, whatever rights are changed`() async throws {
        let fixture = try RoomFixture()
        let client = RecordingClient()
        let (room, _) = try await fixture.registry.connect(
            PeerID("mod"), to: RoomID("room"), grant: PeerGrant(permissions: [.all, .moderate]), through: client)
        let ann = try await fixture.join("ann")
        _ = try await room.setPermissions(of: PeerID("mod"), [])
        _ = try await room.setPermissions(of: PeerID("ann"), [.all, .moderate])
        let snapshot = await room.snapshot(withStatistics: false)
        #expect(snapshot.peers.map(\.permissions) == [.moderate, .all])
        #expect(ann.client.log.contains("permissionsChanged") == false)
    }

    @Test func `an operator's words go to everybody who has joined, or to one`() async throws {
        let fixture = try RoomFixture()
        let ann = try await fixture.join("ann")
        let ben = try await fixture.join("ben")
        let toAll = await ann.room.say("Lunch is served.")
        let toBen = await ann.room.say("You too, Ben.", to: PeerID("ben"))
        let toNobody = await ann.room.say("Where are you?", to: PeerID("cyd"))
        #expect(toAll && toBen && !toNobody)
        #expect(ann.client.log.count { $0 == "operatorMessage" } == 1)
        #expect(ben.client.log.count { $0 == "operatorMessage" } == 2)
        #expect(ben.client.notifications.last?.json == .object(["text": .string("You too, Ben.")]))
    }
}
