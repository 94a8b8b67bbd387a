import RoundhouseRooms

/// What a request of a client asks for.
enum RequestMeaning: Sendable {
    /// Something of the room.
    case room(SignalingRequest)
    /// The same, by which the client shows that it speaks another dialect, from here on.
    case roomIn(any SignalingDialect, SignalingRequest)
    /// Something that the dialect knows by itself.
    case known(JSONValue)
    /// The same, and the client speaks another dialect from here on.
    case knownAnd(JSONValue, speaks: any SignalingDialect)
}
