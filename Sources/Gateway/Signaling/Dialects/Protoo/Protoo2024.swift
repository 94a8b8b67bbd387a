import RoundhouseRooms

/// The protocol of 2024, whose vocabulary Rooms speaks.
struct Protoo2024: ProtooVocabulary {
    /// Every change is a request.
    var notifications: Set<String> { [] }

    func request(_ method: String, _ data: JSONValue) throws(RoomError) -> RequestMeaning {
        // What clients of 2026 ask first, and those of 2024 never.
        if method == Protoo2026.firstMethod {
            return .knownAnd(.object([:]), speaks: ProtooDialect(vocabulary: Protoo2026()))
        }
        // The first clients of 2026 ask for the router's capabilities first, as those of 2024 do, and for a transport then.
        if method == "createWebRtcTransport", Protoo2026.isTransport(data) {
            let dialect = ProtooDialect(vocabulary: Protoo2026())
            if case .room(let request) = try dialect.request(method, data) { return .roomIn(dialect, request) }
        }
        return .room(try SignalingRequest(method: method, data: data))
    }

    func data(of response: SignalingResponse) -> JSONValue {
        // By then it has not shown which year's it is, so it is answered in both shapes.
        let json = response.json
        guard case .routerRtpCapabilities = response, case .object(var fields) = json else { return json }
        fields["routerRtpCapabilities"] = json
        return .object(fields)
    }
    func knows(_ notification: ServerNotification) -> Bool {
        if case .speakingPeers = notification { false } else { true }
    }
    func method(of notification: ServerNotification) -> String { notification.method }
    func data(of notification: ServerNotification) -> JSONValue { notification.json }
    func data(of request: ServerRequest) -> JSONValue { request.json }
}
