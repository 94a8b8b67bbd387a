import Foundation

typealias JSON = [String: any Sendable]

/// How a server frames requests and answers as JSON texts on a WebSocket.
enum SignalingDialect: String {
    /// This server's own framing.
    case protoo
    /// Janus' WebSocket API.
    case janus = "janus-protocol"

    /// What a message from the server means.
    enum Meaning {
        case answer(to: Int, JSON)
        case refusal(of: Int, String)
        /// The server asks, and gets this.
        case request(reply: JSON)
        case notice
    }

    func frame(_ method: String, _ data: JSON, id: Int) -> JSON {
        switch self {
        case .protoo: ["request": true, "id": id, "method": method, "data": data]
        case .janus: data.merging(["janus": method, "transaction": "\(id)"]) { $1 }
        }
    }

    func meaning(of message: JSON) -> Meaning {
        switch self {
        case .protoo:
            guard let id = message["id"] as? Int else { return .notice }
            if message["request"] as? Bool == true { return .request(reply: ["response": true, "id": id, "ok": true]) }
            if message["ok"] as? Bool == true { return .answer(to: id, message["data"] as? JSON ?? [:]) }
            return .refusal(of: id, "\(message["errorReason"] ?? "refused")")
        case .janus:
            guard let id = (message["transaction"] as? String).flatMap({ Int($0) }) else { return .notice }
            let plugin = (message["plugindata"] as? JSON)?["data"] as? JSON
            if let error = message["error"] ?? plugin?["error"] { return .refusal(of: id, "\(error)") }
            // The answer of a plugin comes as an event, after an acknowledgement.
            return message["janus"] as? String == "ack" ? .notice : .answer(to: id, message)
        }
    }
}
