import HTTPTypes
import RoundhouseRooms

/// A whole HTTP response, of whichever version.
struct OutgoingResponse: Sendable {
    var head: HTTPResponse
    var body: [UInt8]
    /// What the response goes on with, in place of a body.
    var events: EventStream?

    init(status: HTTPResponse.Status, headerFields: HTTPFields = [:], body: [UInt8] = []) {
        head = HTTPResponse(status: status, headerFields: headerFields)
        self.body = body
    }

    init(status: HTTPResponse.Status = .ok, contentType: String, body: [UInt8]) {
        self.init(
            status: status,
            headerFields: [
                .contentType: contentType, .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
            ], body: body)
    }

    init(status: HTTPResponse.Status = .ok, json: JSONValue) {
        self.init(status: status, contentType: "application/json", body: json.serialized)
    }

    /// The error body every route answers with: `{"error":{"code":"…","message":"…"}}`.
    static func failure(
        _ status: HTTPResponse.Status, code: String, _ message: String
    ) -> OutgoingResponse {
        let json = JSONValue.fields(["error": .fields(["code": .string(code), "message": .string(message)])])
        return OutgoingResponse(status: status, json: json)
    }

    static let malformedTarget = failure(
        .badRequest, code: "malformed-target", "the request target's percent encoding is broken")

    static func methodNotAllowed(_ allowed: String, _ message: String) -> OutgoingResponse {
        var response = failure(.methodNotAllowed, code: "method-not-allowed", message)
        response.head.headerFields[.allow] = allowed
        return response
    }
}
