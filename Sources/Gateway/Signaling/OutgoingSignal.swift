import RoundhouseRooms

/// A message to a client.
enum OutgoingSignal: Sendable {
    case response(Result<JSONValue, RoomError>, to: SignalID)
    case notification(ServerNotification)
    case request(ServerRequest, id: UInt32)
    /// How the client may come back if this connection breaks. Never numbered.
    case resumable(ResumptionToken, window: Duration)
    /// The client has come back. Never numbered.
    case resumed(received: UInt64, lost: ClosedRange<UInt64>?)
}
