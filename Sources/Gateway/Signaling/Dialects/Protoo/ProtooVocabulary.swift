import Rooms

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

/// The protocol of 2024, whose vocabulary Rooms speaks.
struct Protoo2024: ProtooVocabulary {
    /// Every change is a request.
    var notifications: Set<String> { [] }

    func request(_ method: String, _ data: JSONValue) throws(RoomError) -> RequestMeaning {
        // What clients of 2026 ask first, and those of 2024 never.
        if method == Protoo2026.firstMethod {
            return .knownAnd(.object([:]), speaks: ProtooDialect(vocabulary: Protoo2026()))
        }
        return .room(try SignalingRequest(method: method, data: data))
    }

    func data(of response: SignalingResponse) -> JSONValue { response.json }
    func knows(_ notification: ServerNotification) -> Bool {
        if case .speakingPeers = notification { false } else { true }
    }
    func method(of notification: ServerNotification) -> String { notification.method }
    func data(of notification: ServerNotification) -> JSONValue { notification.json }
    func data(of request: ServerRequest) -> JSONValue { request.json }
}
