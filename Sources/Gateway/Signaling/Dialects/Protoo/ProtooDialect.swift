import Rooms

/// protoo: JSON objects that say of themselves whether they are a request, a response or a notification.
///
/// The methods and their data are those of mediasoup-demo's 2024 protocol, whose vocabulary Rooms speaks.
struct ProtooDialect: SignalingDialect {
    var subprotocol: String { "protoo" }

    func decode(_ text: String) -> IncomingSignal {
        guard let message = try? JSONValue(parsing: text) else { return .ignored(.notJSON) }
        guard case .object(let fields) = message else { return .ignored(.notAMessage) }
        if fields["request"] == .bool(true) { return request(fields) }
        if fields["response"] == .bool(true) { return answer(fields) }
        // The 2024 protocol has no notifications from clients.
        if fields["notification"] == .bool(true) { return .ignored(.unknownNotification) }
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
            guard case .string(let method)? = fields["method"] else {
                throw RoomError(.invalidRequest, "method: not a string")
            }
            var data = fields["data"] ?? .null
            if data == .null { data = .object([:]) }
            guard case .object = data else { throw RoomError(.invalidRequest, "data: not an object") }
            return .request(id, try SignalingRequest(method: method, data: data), method: method)
        } catch {
            return .badRequest(id, error, error.code == .unknownMethod ? .unknownMethod : .invalidField)
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

    func encode(_ result: Result<SignalingResponse, RoomError>, to id: SignalID) -> String {
        switch result {
        case .success(let response):
            JSONValue.object(["response": .bool(true), "id": id.json, "ok": .bool(true), "data": response.json]).text
        case .failure(let error):
            JSONValue.object([
                "response": .bool(true), "id": id.json, "ok": .bool(false),
                "errorCode": .integer(Int64(Self.errorCode(error.code))), "errorReason": .string(error.message),
            ]).text
        }
    }

    func encode(_ notification: ServerNotification) -> String {
        JSONValue.object([
            "notification": .bool(true), "method": .string(notification.method), "data": notification.json,
        ]).text
    }

    func encode(_ request: ServerRequest, id: UInt32) -> String {
        JSONValue.object([
            "request": .bool(true), "id": .integer(Int64(id)), "method": .string(request.method), "data": request.json,
        ]).text
    }

    /// The HTTP status, but for an unknown method, which the demo's server answers with 500.
    static func errorCode(_ code: RoomError.Code) -> Int { code == .unknownMethod ? 500 : code.httpStatus }
}
