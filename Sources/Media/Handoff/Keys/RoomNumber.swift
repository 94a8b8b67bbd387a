/// Which room a transport is of, as far as its place is concerned.
struct RoomNumber: Hashable, Sendable {
    var value: UInt64

    /// Of transports whose owner has no rooms.
    static let none = RoomNumber(value: 0)
}
