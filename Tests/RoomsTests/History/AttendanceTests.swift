import Testing

@testable import RoundhouseMedia
@testable import RoundhouseRooms

@Suite(.timeLimit(.minutes(15))) struct AttendanceTests {
    private static func joined(_ name: String) -> RoomEvent.Kind {
        .peerJoined(PeerDescription(id: PeerID(name), displayName: name, device: DeviceDescription()))
    }

    @Test func `visits have their beginning, their end and their last name`() {
        var attendance = Attendance()
        attendance.take(Self.joined("ann"), at: 1)
        attendance.take(Self.joined("ben"), at: 2)
        attendance.take(.peerRenamed(PeerID("ann"), displayName: "Anna"), at: 3)
        attendance.take(.peerLeft(PeerID("ann"), .left), at: 4)
        attendance.take(Self.joined("ann"), at: 5)
        // Connected, and never joined.
        attendance.take(.peerLeft(PeerID("cyd"), .disconnected), at: 6)
        #expect(attendance.joined == 3 && attendance.mostAtOnce == 2)
        #expect(attendance.visits.map(\.displayName) == ["Anna", "ben", "ann"])
        #expect(attendance.visits.map(\.leftAt) == [4, nil, nil])
        #expect(attendance.visits[0].reason == .left)
    }

    @Test func `a crowd is counted, and its first visits are kept`() {
        var attendance = Attendance()
        for number in 0..<500 { attendance.take(Self.joined("p\(number)"), at: 1) }
        for number in 0..<500 { attendance.take(.peerLeft(PeerID("p\(number)"), .left), at: 2) }
        attendance.take(Self.joined("late"), at: 3)
        #expect(attendance.joined == 501 && attendance.mostAtOnce == 500)
        #expect(attendance.visits.count == Attendance.limit && attendance.visits.allSatisfy { $0.leftAt == 2 })
    }

    @Test func `rooms that have ended are kept, the newest, each once`() async throws {
        let fixture = try RoomFixture()
        for number in 0..<(RoomHistory.limit + 5) {
            let ann = try await fixture.join("ann", to: "r\(number)")
            await ann.room.close()
            await ann.room.close()
            await ann.room.drain()
        }
        let records = fixture.registry.history.records
        #expect(records.count == RoomHistory.limit)
        #expect(records.first?.room == RoomID("r\(RoomHistory.limit + 4)") && records.last?.room == RoomID("r5"))
        let newest = try #require(records.first)
        #expect(newest.number == UInt64(RoomHistory.limit + 5))
        #expect(newest.events.last?.kind == .roomClosed(.roomClosed) && newest.attendance.visits.count == 1)
        #expect(fixture.registry.history.record(newest.number)?.room == newest.room)
        #expect(fixture.registry.history.record(1) == nil)
    }
}
