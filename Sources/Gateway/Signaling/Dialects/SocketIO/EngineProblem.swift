import HTTPTypes
import RoundhouseRooms

/// Why Engine.IO refuses a request; the numbers and words are those its clients know.
enum EngineProblem: Int, Error, Hashable {
    case unknownTransport = 0
    case unknownSession = 1
    case badMethod = 2
    case badRequest = 3
    case forbidden = 4
    case unsupportedVersion = 5

    var message: String {
        switch self {
        case .unknownTransport: "Transport unknown"
        case .unknownSession: "Session ID unknown"
        case .badMethod: "Bad handshake method"
        case .badRequest: "Bad request"
        case .forbidden: "Forbidden"
        case .unsupportedVersion: "Unsupported protocol version"
        }
    }

    var response: OutgoingResponse {
        OutgoingResponse(
            status: self == .forbidden ? .forbidden : .badRequest,
            json: .object(["code": .integer(Int64(rawValue)), "message": .string(message)]))
    }
}
