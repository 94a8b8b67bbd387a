import RoundhouseRooms

/// A client's own number (or name) for a request, given back as it came.
struct SignalID: Sendable, Hashable {
    var json: JSONValue
}
