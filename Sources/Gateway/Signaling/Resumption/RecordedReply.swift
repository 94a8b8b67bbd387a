import RoundhouseRooms

/// What a request was answered with, kept for the case that it comes again.
struct RecordedReply: Sendable {
    var result: Result<JSONValue, RoomError>
    var bytes = 0

    init(_ result: Result<JSONValue, RoomError>) { self.result = result }
}
