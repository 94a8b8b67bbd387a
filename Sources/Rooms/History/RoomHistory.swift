import Synchronization

/// The rooms that have ended, the newest of them: so that one can ask afterwards who was there.
public final class RoomHistory: Sendable {
    private struct State {
        var records: [RoomRecord] = []
        var last: UInt64 = 0
    }

    /// Rooms that are kept, with a hundred events and sixty minutes each at most.
    public static let limit = 200

    private let state = Mutex(State())

    init() {}

    func ended(
        _ room: RoomID, openedAt: Int64, closedAt: Int64, _ attendance: Attendance, _ events: [RoomEvent],
        minutes: [RoomMinute]
    ) {
        state.withLock { state in
            state.last += 1
            if state.records.count >= Self.limit { state.records.removeFirst() }
            state.records.append(
                RoomRecord(
                    number: state.last, room: room, openedAt: openedAt, closedAt: closedAt, attendance: attendance,
                    events: Array(events.suffix(RoomRecord.mostEvents)), minutes: minutes))
        }
    }

    /// The newest first.
    public var records: [RoomRecord] { state.withLock { $0.records.reversed() } }

    /// One of them.
    public func record(_ number: UInt64) -> RoomRecord? {
        state.withLock { $0.records.first { $0.number == number } }
    }
}
