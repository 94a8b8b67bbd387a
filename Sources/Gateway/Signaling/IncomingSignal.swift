import RoundhouseRooms

/// What a client's message means.
enum IncomingSignal: Sendable {
    case request(SignalID, RequestMeaning, method: String)
    /// A request that cannot be carried out, but can be answered.
    case badRequest(SignalID, RoomError, RejectionReason)
    /// The same as a request, but nobody waits for an answer.
    case notification(SignalingRequest, method: String)
    /// The answer to a request of ours.
    case answer(UInt32, isAccepted: Bool)
    /// Nothing that could be answered.
    case ignored(RejectionReason)
}
