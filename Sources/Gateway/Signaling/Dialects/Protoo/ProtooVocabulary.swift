import RoundhouseRooms

/// The methods of protoo's messages: one year of mediasoup-demo.
protocol ProtooVocabulary: Sendable {
    /// The methods that clients may send as notifications.
    var notifications: Set<String> { get }

    /// - Parameter data: an object.
    func request(_ method: String, _ data: JSONValue) throws(RoomError) -> RequestMeaning
    func data(of response: SignalingResponse) -> JSONValue
    func knows(_ notification: ServerNotification) -> Bool
    func method(of notification: ServerNotification) -> String
    func data(of notification: ServerNotification) -> JSONValue
    func data(of request: ServerRequest) -> JSONValue
}
