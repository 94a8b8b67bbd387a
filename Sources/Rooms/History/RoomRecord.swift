/// What is kept of a room that has ended.
public struct RoomRecord: Sendable, JSONRepresentable {
    /// 1, 2, 3 … in the order in which rooms ended.
    public let number: UInt64
    /// Which room.
    public let room: RoomID
    /// When its first peer came and its last one had left, in milliseconds since 1970.
    public let openedAt: Int64
    /// See `openedAt`.
    public let closedAt: Int64
    let attendance: Attendance
    /// Its last events.
    public let events: [RoomEvent]
    /// Its last hour.
    public let minutes: [RoomMinute]

    /// Events that are kept of each room.
    static let mostEvents = 100

    /// The record without its events and minutes.
    public var json: JSONValue {
        .object([
            "number": .count(number), "room": .string(room.rawValue), "openedAt": .integer(openedAt),
            "closedAt": .integer(closedAt), "joined": .integer(Int64(attendance.joined)),
            "mostAtOnce": .integer(Int64(attendance.mostAtOnce)), "people": .array(attendance.visits.map(\.json)),
        ])
    }
}
