/// Why a signaling message was not acted upon.
enum RejectionReason: String, CaseIterable {
    case notJSON = "not_json"
    case notAMessage = "not_a_message"
    case invalidField = "invalid_field"
    case unknownMethod = "unknown_method"
    case unknownNotification = "unknown_notification"
    case unexpectedResponse = "unexpected_response"
    /// It has come before, or by a connection that the client has left.
    case repeated
}
