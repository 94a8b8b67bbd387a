import Testing

@testable import RoundhouseRooms

@Suite struct RoomReservationsTests {
    private var reservations = RoomReservations()
    private let start = ContinuousClock.now
    private let id = RoomID("123456789")

    private mutating func reserve(_ password: String, _ now: ContinuousClock.Instant) throws {
        let id = id
        let reserved = try reservations.reserve(password: password, now: now) { id }
        #expect(reserved == id)
    }

    @Test mutating func `a reserved name is no room until it is created with its password`() throws {
        try reserve("secret", start)
        #expect(!reservations.isCreated(id, now: start))
        #expect(reservations.needsPassword(id, now: start))
        #expect(throws: RoomError.self) { try reservations.create(id, password: "guess", now: start) }
        #expect(try reservations.create(id, password: "secret", now: start))
        #expect(reservations.isCreated(id, now: start))
        #expect(try !reservations.create(id, password: "secret", now: start))
    }

    @Test mutating func `a password stays until its room closes, however long that takes`() throws {
        _ = try reservations.create(id, password: "secret", now: start)
        reservations.roomOpened(id, now: start)
        let later = start + RoomReservations.timeout * 10
        #expect(reservations.isCreated(id, now: later))
        #expect(!reservations.admits("", to: id, now: later))
        #expect(reservations.admits("secret", to: id, now: later))
        reservations.roomClosed(id)
        #expect(!reservations.isCreated(id, now: later))
        #expect(reservations.admits("", to: id, now: later))
        #expect(reservations.count == 0)
    }

    @Test mutating func `what nobody uses is forgotten with its password`() throws {
        _ = try reservations.create(id, password: "secret", now: start)
        let end = start + RoomReservations.timeout
        #expect(reservations.isCreated(id, now: end - .seconds(1)))
        #expect(!reservations.isCreated(id, now: end))
        #expect(!reservations.needsPassword(id, now: end))
        reservations.roomOpened(id, now: end)
        #expect(reservations.admits("", to: id, now: end))
        #expect(reservations.count == 0)
    }

    @Test mutating func `a name is proposed until it is new`() throws {
        var names = ["1", "1", "2"].makeIterator()
        func propose() -> RoomID { RoomID(names.next() ?? "3") }
        let first = try reservations.reserve(password: "", now: start, propose)
        let second = try reservations.reserve(password: "", now: start, propose)
        #expect([first, second].map(\.rawValue) == ["1", "2"])
    }

    @Test mutating func `names that wait are bounded: the oldest that nobody used gives way`() throws {
        let limit = RoomReservations.limit
        for number in 0..<limit {
            _ = try reservations.reserve(password: "secret", now: start) { RoomID("\(number)") }
        }
        reservations.roomOpened(RoomID("0"), now: start)
        try reserve("", start)
        #expect(try reservations.create(RoomID("new"), password: "", now: start))
        #expect(reservations.count == limit)
        // The first is in use, so that the next two went.
        let isKnown = ["0", "1", "2", "3"].map { reservations.needsPassword(RoomID($0), now: start) }
        #expect(isKnown == [true, false, false, true])
        reservations.forgetUnused(start + RoomReservations.timeout)
        #expect(reservations.count == 1)
    }

    @Test mutating func `rooms that are in use give way to no name`() throws {
        for number in 0..<RoomReservations.limit {
            _ = try reservations.create(RoomID("\(number)"), password: "", now: start)
            reservations.roomOpened(RoomID("\(number)"), now: start)
        }
        #expect(throws: RoomError.self) { try reserve("", start) }
        #expect(throws: RoomError.self) { try reservations.create(id, password: "", now: start) }
    }

    @Test mutating func `what a name is counted by is kept until somebody comes, or nobody has`() throws {
        final class Keeper: Sendable {}
        weak var first: Keeper?
        weak var second: Keeper?
        do {
            let keepers = (Keeper(), Keeper())
            (first, second) = keepers
            _ = try reservations.reserve(password: "", keeping: keepers.0, now: start) { RoomID("1") }
            _ = try reservations.create(RoomID("2"), password: "", keeping: keepers.1, now: start)
        }
        #expect(first != nil && second != nil)
        reservations.roomOpened(RoomID("2"), now: start)
        #expect(second == nil)
        reservations.forgetUnused(start + RoomReservations.timeout)
        #expect(first == nil && reservations.count == 1)
    }

    @Test func `a registry's rooms open with their password, and close with it`() async throws {
        let fixture = try RoomFixture()
        let registry = fixture.registry
        let id = try registry.reserveRoom(password: "secret")
        #expect(id.rawValue.count == 9 && id.rawValue.allSatisfy(\.isNumber))
        #expect(registry.existence(of: id) == (false, true))
        #expect(try registry.createRoom(id, password: "secret"))
        #expect(registry.existence(of: id) == (true, true))
        await expectRefusal(.wrongPassword) { try await fixture.connect("alice", to: id.rawValue) }
        #expect(registry.room(id) == nil)
        let client = RecordingClient()
        let (room, session) = try await registry.connect(
            PeerID("alice"), to: id, password: "secret", through: client)
        await expectRefusal(.wrongPassword) { try await fixture.connect("bob", to: id.rawValue) }
        #expect(try !registry.createRoom(id, password: "other"))
        await room.disconnected(session)
        #expect(registry.existence(of: id) == (false, false))
        #expect(registry.isPassword("anything", of: id))
        let bob = try await fixture.connect("bob", to: id.rawValue)
        #expect(registry.existence(of: id) == (true, false))
        #expect(try !registry.createRoom(id))
        await bob.room.disconnected(bob.session)
    }
}
