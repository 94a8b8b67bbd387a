import Rooms

/// One way of writing signaling messages as text. A dialect only translates: it has no state and no rules of rooms.
protocol SignalingDialect: Sendable {
    /// The WebSocket subprotocol by which clients ask for it.
    var subprotocol: String { get }

    /// Reads one message of a client.
    func decode(_ text: String) -> IncomingSignal

    func encode(_ result: Result<SignalingResponse, RoomError>, to id: SignalID) -> String
    func encode(_ notification: ServerNotification) -> String
    func encode(_ request: ServerRequest, id: UInt32) -> String
}

/// A client's own number (or name) for a request, given back as it came.
struct SignalID: Sendable, Hashable {
    var json: JSONValue
}

/// What a client's message means.
enum IncomingSignal: Sendable {
    case request(SignalID, SignalingRequest, method: String)
    /// A request that cannot be carried out, but can be answered.
    case badRequest(SignalID, RoomError, RejectionReason)
    /// The answer to a request of ours.
    case answer(UInt32, isAccepted: Bool)
    /// Nothing that could be answered.
    case ignored(RejectionReason)
}
