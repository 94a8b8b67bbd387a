import RoundhouseRooms

/// protoo: JSON objects that say of themselves whether they are a request, a response or a notification.
///
/// Their methods are one of the vocabularies of mediasoup-demo.
struct ProtooDialect: SignalingDialect {
    var vocabulary: any ProtooVocabulary = Protoo2024()

    var subprotocol: String { "protoo" }

    // MARK: Reading

    func read(_ text: String) -> ReceivedSignal {
        guard let message = try? JSONValue(parsing: text) else { return ReceivedSignal(signal: .ignored(.notJSON)) }
        guard case .object(let fields) = message else { return ReceivedSignal(signal: .ignored(.notAMessage)) }
        return ReceivedSignal(
            signal: signal(fields), number: Self.count(fields["seq"]), acknowledged: Self.count(fields["ack"]))
    }

    private func signal(_ fields: [String: JSONValue]) -> IncomingSignal {
        if fields["request"] == .bool(true) { return request(fields) }
        if fields["response"] == .bool(true) { return answer(fields) }
        if fields["notification"] == .bool(true) { return notification(fields) }
        // It has an id, so somebody may wait for an answer.
        guard let id = Self.id(fields) else { return .ignored(.notAMessage) }
        return .badRequest(id, RoomError(.invalidRequest, "request: has to be true in a request"), .notAMessage)
    }

    private func request(_ fields: [String: JSONValue]) -> IncomingSignal {
        guard let id = Self.id(fields) else { return .ignored(.notAMessage) }
        do throws(RoomError) {
            switch id.json {
            case .integer, .number: break
            default: throw RoomError(.invalidRequest, "id: not a number")
            }
            let method = try Self.method(fields)
            return .request(id, try request(method, fields["data"] ?? .null), method: method)
        } catch {
            return .badRequest(id, error, error.code == .unknownMethod ? .unknownMethod : .invalidField)
        }
    }

    func request(_ method: String, _ data: JSONValue) throws(RoomError) -> RequestMeaning {
        try vocabulary.request(method, try Self.object(data))
    }

    private func notification(_ fields: [String: JSONValue]) -> IncomingSignal {
        do throws(RoomError) {
            let method = try Self.method(fields)
            guard vocabulary.notifications.contains(method),
                case .room(let request) = try request(method, fields["data"] ?? .null)
            else { return .ignored(.unknownNotification) }
            return .notification(request, method: method)
        } catch {
            return .ignored(error.code == .unknownMethod ? .unknownNotification : .invalidField)
        }
    }

    private func answer(_ fields: [String: JSONValue]) -> IncomingSignal {
        guard case .integer(let number)? = fields["id"], let id = UInt32(exactly: number) else {
            return .ignored(.unexpectedResponse)
        }
        return .answer(id, isAccepted: fields["ok"] == .bool(true))
    }

    private static func id(_ fields: [String: JSONValue]) -> SignalID? {
        switch fields["id"] {
        case nil, .null, .array, .object: nil
        case .string(let text) where text.utf8.count > 128: nil
        case let json?: SignalID(json: json)
        }
    }

    private static func method(_ fields: [String: JSONValue]) throws(RoomError) -> String {
        guard case .string(let method)? = fields["method"] else {
            throw RoomError(.invalidRequest, "method: not a string")
        }
        return method
    }

    private static func object(_ data: JSONValue) throws(RoomError) -> JSONValue {
        switch data {
        case .null: return .object([:])
        case .object: return data
        default: throw RoomError(.invalidRequest, "data: not an object")
        }
    }

    static func count(_ json: JSONValue?) -> UInt64? {
        guard case .integer(let number)? = json else { return nil }
        return UInt64(exactly: number)
    }

    // MARK: Writing

    func data(of response: SignalingResponse) -> JSONValue { vocabulary.data(of: response) }

    func knows(_ notification: ServerNotification) -> Bool { vocabulary.knows(notification) }

    func encode(_ signal: OutgoingSignal, number: UInt64?) -> String {
        var fields = fields(of: signal)
        if let number { fields["seq"] = .count(number) }
        return JSONValue.object(fields).text
    }

    private func fields(of signal: OutgoingSignal) -> [String: JSONValue] {
        switch signal {
        case .response(.success(let data), let id):
            ["response": .bool(true), "id": id.json, "ok": .bool(true), "data": data]
        case .response(.failure(let error), let id):
            [
                "response": .bool(true), "id": id.json, "ok": .bool(false),
                "errorCode": .integer(Int64(Self.errorCode(error.code))), "errorReason": .string(error.message),
            ]
        case .notification(let notification):
            Self.notification(vocabulary.method(of: notification), vocabulary.data(of: notification))
        case .request(let request, let id):
            [
                "request": .bool(true), "id": .integer(Int64(id)), "method": .string(request.method),
                "data": vocabulary.data(of: request),
            ]
        case .resumable(let token, let window):
            Self.notification(
                "resumable", .object(["token": .string(token.text), "seconds": .integer(window.components.seconds)]))
        case .resumed(let received, let lost):
            Self.notification(
                "resumed",
                .fields([
                    "received": .count(received),
                    "lost": lost.map {
                        .object(["first": .count($0.lowerBound), "last": .count($0.upperBound)])
                    },
                ]))
        }
    }

    private static func notification(_ method: String, _ data: JSONValue) -> [String: JSONValue] {
        ["notification": .bool(true), "method": .string(method), "data": data]
    }

    /// The HTTP status, but for an unknown method, which the demo's server answers with 500.
    static func errorCode(_ code: RoomError.Code) -> Int { code == .unknownMethod ? 500 : code.httpStatus }
}
