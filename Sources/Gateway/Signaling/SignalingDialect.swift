import RoundhouseRooms

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
