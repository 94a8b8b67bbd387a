import Rooms

/// One way of writing signaling messages as text. A dialect only translates: it has no state and no rules of rooms.
protocol SignalingDialect: Sendable {
    /// The WebSocket subprotocol by which clients ask for it.
    var subprotocol: String { get }

    /// Reads one message of a client.
    func read(_ text: String) -> ReceivedSignal

    /// Reads a request that came without the framing of messages.
    func request(_ method: String, _ data: JSONValue) throws(RoomError) -> RequestMeaning

    /// A response's data.
    func data(of response: SignalingResponse) -> JSONValue

    /// Whether it has words for a notification; others are not sent.
    func knows(_ notification: ServerNotification) -> Bool

    /// - Parameter number: if the client numbers messages, so as to be able to come back.
    func encode(_ signal: OutgoingSignal, number: UInt64?) -> String
}

extension SignalingDialect {
    func decode(_ text: String) -> IncomingSignal { read(text).signal }
}

/// A client's own number (or name) for a request, given back as it came.
struct SignalID: Sendable, Hashable {
    var json: JSONValue
}

/// One message of a client.
struct ReceivedSignal: Sendable {
    var signal: IncomingSignal
    /// The message's own number, if the client counts them.
    var number: UInt64?
    /// The number of the last message of ours that the client has.
    var acknowledged: UInt64?
}

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

/// What a request of a client asks for.
enum RequestMeaning: Sendable {
    /// Something of the room.
    case room(SignalingRequest)
    /// Something that the dialect knows by itself.
    case known(JSONValue)
    /// The same, and the client speaks another dialect from here on.
    case knownAnd(JSONValue, speaks: any SignalingDialect)
}

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
