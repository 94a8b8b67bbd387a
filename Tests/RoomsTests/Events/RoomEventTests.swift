import Synchronization
import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

/// The events of rooms that operators see, and what operators may do to rooms.
@Suite(.timeLimit(.minutes(15))) struct RoomEventTests {
    /// Everything a subscription delivers.
    private final class Listener: Sendable {
        private let state = Mutex<(beginning: RoomEventLog.SubscriptionStart?, events: [RoomEvent])>((nil, []))
        var events: [RoomEvent] { state.withLock { $0.events } }
        var beginning: RoomEventLog.SubscriptionStart? { state.withLock { $0.beginning } }
        var types: [String] { events.map(\.kind.name) }

        func listen(to log: RoomEventLog, after: String? = nil, room: String? = nil, limit: Int = .max) {
            log.subscribe(after: after, room: room.map { RoomID($0) }) { beginning in
                state.withLock { $0.beginning = beginning }
            } deliver: { [self] event in
                state.withLock { state in
                    state.events.append(event)
                    return state.events.count < limit
                }
            }
        }
    }

    @Test func `a room records everything from its opening to its end, numbered without a gap`() async throws {
        let fixture = try RoomFixture()
        let listener = Listener()
        listener.listen(to: fixture.registry.events)
        let alice = try await fixture.join("alice")
        let bob = try await fixture.join("bob")
        let producer = try await alice.produce(.audio, audioParameters())
        await bob.answer(.accepted)
        _ = try await alice.request(.pauseProducer(producer))
        _ = try await alice.request(.resumeProducer(producer))
        await alice.room.disconnected(alice.session)
        await bob.room.disconnected(bob.session)
        let events = listener.events
        #expect(events.map(\.sequence) == Array(1...UInt64(events.count)))
        #expect(Set(events.map(\.room)) == [RoomID("room")])
        #expect(listener.types.filter { $0.hasPrefix("transport") }.count == 8)
        #expect(
            listener.types.filter { !$0.hasPrefix("transport") } == [
                "room-opened", "peer-connected", "peer-joined", "peer-connected", "peer-joined", "producer-opened",
                "consumer-opened", "consumer-score", "producer-paused", "producer-resumed", "consumer-closed",
                "producer-closed", "peer-left", "peer-left", "room-closed",
            ])
        #expect(events.last?.kind == .roomClosed(.roomClosed))
    }

    @Test func `a reader that comes back gets what happened meanwhile, of its room only`() async throws {
        let fixture = try RoomFixture()
        let first = Listener()
        first.listen(to: fixture.registry.events)
        let alice = try await fixture.join("alice", to: "a")
        _ = try await fixture.join("bob", to: "b")
        let seen = try #require(first.events.first { $0.kind == .peerConnected(PeerID("alice")) })
        let again = Listener()
        again.listen(to: fixture.registry.events, after: seen.id.description, room: "a")
        #expect(again.beginning?.hasGap == false && again.beginning?.position == seen.id)
        #expect(again.events == first.events.filter { $0.room == RoomID("a") && $0.id.number > seen.id.number })
        await alice.room.disconnected(alice.session)
        #expect(again.types.last == "room-closed")
        #expect(again.events == first.events.filter { $0.room == RoomID("a") && $0.id.number > seen.id.number })
    }

    @Test func `a reader that asks for what is forgotten is notified of the gap`() {
        let log = RoomEventLog(epoch: 0xAB, capacity: 4)
        for index in 0..<20 {
            _ = log.append([.roomOpened], of: RoomID("room\(index)"), after: 0, time: 0)
        }
        for forgotten in ["ab-1", "ab-21", "cd-20", "no identifier", ""] {
            let listener = Listener()
            listener.listen(to: log, after: forgotten)
            #expect(listener.beginning?.hasGap == true, "\(forgotten)")
            #expect((4...8).contains(listener.events.count))
            #expect(listener.events.last?.id.description == "ab-20")
        }
        let listener = Listener()
        listener.listen(to: log, after: "ab-18")
        #expect(listener.beginning?.hasGap == false)
        #expect(listener.events.map(\.id.description) == ["ab-19", "ab-20"])
    }

    @Test func `a subscriber that has enough is not called again, and one that ends is not either`() {
        let log = RoomEventLog()
        let brief = Listener()
        let other = Listener()
        brief.listen(to: log, limit: 2)
        other.listen(to: log)
        let room = RoomID("room")
        _ = log.append([.roomOpened, .activeSpeaker(nil), .activeSpeaker(nil)], of: room, after: 0, time: 0)
        if let subscription = other.beginning?.subscription { log.unsubscribe(subscription) }
        _ = log.append([.activeSpeaker(nil)], of: room, after: 3, time: 0)
        #expect(brief.events.count == 2)
        #expect(other.events.count == 3)
        #expect(log.count == 4)
    }

    @Test func `a kicked peer is closed and the others are notified`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        let bob = try await fixture.join("bob")
        #expect(await alice.room.kick(PeerID("alice")))
        #expect(await !alice.room.kick(PeerID("alice")))
        #expect(alice.client.closed == .kicked)
        #expect(bob.client.log.last == "peerClosed")
        await expectRefusal(.peerClosed) { try await alice.request(.getRouterRtpCapabilities) }
        let recent = await bob.room.recentEvents
        #expect(recent.last?.kind == .peerLeft(PeerID("alice"), .kicked))
    }

    @Test func `an operator pauses a producer as its peer does`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        let bob = try await fixture.join("bob")
        let producer = try await alice.produce(.audio, audioParameters())
        await bob.answer(.accepted)
        fixture.plane.forget()
        try await alice.room.setProducerPaused(producer, true)
        try await alice.room.setProducerPaused(producer, true)
        #expect(fixture.plane.names.contains("setProducerPaused"))
        #expect(bob.client.log.filter { $0 == "consumerPaused" }.count == 1)
        // Its owner did not ask for it, and has to learn of it.
        #expect(alice.client.log.filter { $0 == "producerPaused" }.count == 1)
        await expectRefusal(.producerNotFound) { try await alice.room.setProducerPaused(ProducerID("none"), true) }
        fixture.plane.setFull(true)
        await expectRefusal(.overloaded) { try await alice.room.setProducerPaused(producer, false) }
        #expect(bob.client.log.filter { $0 == "consumerResumed" }.isEmpty)
        #expect(!alice.client.log.contains("producerResumed"))
    }

    @Test func `a speaker that every peer is notified of is one event`() async throws {
        let fixture = try RoomFixture()
        let alice = try await fixture.join("alice")
        let bob = try await fixture.join("bob")
        let speaks = ServerNotification.activeSpeaker(PeerID("alice"), volume: -40)
        await alice.room.perform([.notify(alice.session, speaks), .notify(bob.session, speaks)])
        await alice.room.finishTransition()
        let recent = await alice.room.recentEvents
        #expect(recent.filter { $0.kind == .activeSpeaker(PeerID("alice")) }.count == 1)
    }

    @Test func `an event's identifier is read as it is written`() {
        let id = RoomEventID(epoch: 0xDEAD_BEEF, number: .max)
        #expect(RoomEventID(id.description) == id)
        for text in ["", "-", "1", "1-", "-1", "1-2-3", "g-1", "1-x", "1--2", "100000000-1"] {
            #expect(RoomEventID(text) == nil, "\(text)")
        }
    }
}
