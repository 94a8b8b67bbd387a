import HTTPTypes
import RoundhouseMedia
import RoundhouseRooms

/// A WebSocket handshake that may become a signaling session: an HTTP/1.1 upgrade (RFC 6455 §4) or an HTTP/2 extended
/// CONNECT (RFC 8441 §4).
struct SignalingHandshake: Sendable {
    enum Destination: Sendable {
        case room(RoomEntry)
        /// Engine.IO's session of this name, or a new one.
        case socketIO(session: Secret?)
    }

    var destination: Destination
    /// The HTTP version it came by.
    var version: HTTPVersionName
    /// The access token it brought.
    var token: Secret?
    /// Where it comes from.
    var origin = ClientOrigin.unknown

    /// What the upgrade's response adds.
    var responseFields: HTTPFields {
        switch destination {
        case .room(let entry): [.secWebSocketProtocol: entry.dialect.subprotocol]
        case .socketIO: [:]
        }
    }

    enum Outcome: Sendable {
        /// The request does not ask for a WebSocket.
        case notAHandshake
        case accept(SignalingHandshake)
        case refuse(OutgoingResponse)
    }

    /// Reads a handshake: `/?roomId=…&peerId=…` with subprotocol `protoo`, or Engine.IO's at `/socket.io/`.
    static func validate(_ request: HTTPRequest) -> Outcome {
        let fields = request.headerFields
        let version: HTTPVersionName
        if let tunnel = request.extendedConnectProtocol {
            guard tunnel == "websocket" else {
                return .refuse(
                    .failure(.notImplemented, code: "unsupported-protocol", "this server tunnels only websocket"))
            }
            version = .http2
        } else {
            guard tokens(fields[.upgrade]).contains(where: { $0.lowercased() == "websocket" }) else {
                return .notAHandshake
            }
            guard request.method == .get else {
                return .refuse(.methodNotAllowed("GET", "a WebSocket is opened with GET"))
            }
            version = .http1
        }
        guard let target = RequestTarget(request.path ?? "/") else { return .refuse(.malformedTarget) }
        let isEngine = EngineRequest.isPath(target.path)
        guard target.path.isEmpty || isEngine else {
            return .refuse(.failure(.notFound, code: "not-found", "signaling is at /?roomId=…&peerId=…"))
        }
        // HTTP/2 has neither Connection nor the key (RFC 8441 §5).
        guard version == .http2 || tokens(fields[.connection]).contains(where: { $0.lowercased() == "upgrade" }) else {
            return .refuse(badHandshake("the Connection field does not say Upgrade"))
        }
        guard fields[.secWebSocketVersion] == "13" else {
            var response = OutgoingResponse.failure(
                .upgradeRequired, code: "unsupported-websocket-version", "this server speaks WebSocket version 13")
            response.head.headerFields[.secWebSocketVersion] = "13"
            return .refuse(response)
        }
        guard version == .http2 || fields[.secWebSocketKey].map(isKey) == true else {
            return .refuse(badHandshake("Sec-WebSocket-Key is not 16 bytes in Base64"))
        }
        if isEngine { return engine(target, version) }
        let offered = tokens(fields[.secWebSocketProtocol]).map(String.init)
        guard offered.contains(ProtooDialect().subprotocol) else {
            return .refuse(
                .failure(
                    .badRequest, code: "unsupported-subprotocol",
                    "Sec-WebSocket-Protocol has to offer one of: \(ProtooDialect().subprotocol)"))
        }
        do throws(Problem) {
            let entry = try RoomEntry(
                room: try name("roomId", .room, in: target).get(), peer: try name("peerId", .peer, in: target).get(),
                target, fields)
            return .accept(SignalingHandshake(destination: .room(entry), version: version))
        } catch {
            return .refuse(error.response)
        }
    }

    private static func engine(_ target: RequestTarget, _ version: HTTPVersionName) -> Outcome {
        switch EngineRequest.read(target) {
        case .failure(let problem): .refuse(problem.response)
        case .success(let request) where request.transport != .webSocket: .refuse(EngineProblem.badRequest.response)
        case .success(let request):
            .accept(SignalingHandshake(destination: .socketIO(session: request.session), version: version))
        }
    }

    struct Problem: Error { var response: OutgoingResponse }

    private static func name(
        _ name: String, _ kind: ClientName, in target: RequestTarget
    ) -> Result<String, Problem> {
        guard let value = target[name] else {
            return .failure(
                Problem(
                    response: .failure(
                        .badRequest, code: "missing-parameter", "the query has no \(name): use /?roomId=…&peerId=…")))
        }
        guard kind.admits(value) else {
            return .failure(
                Problem(response: .failure(.badRequest, code: "invalid-parameter", "\(name) \(kind.rule)")))
        }
        return .success(value)
    }

    private static func badHandshake(_ message: String) -> OutgoingResponse {
        .failure(.badRequest, code: "bad-handshake", message)
    }

    /// 16 bytes in Base64 are 22 characters and two of padding (RFC 6455 §4.1).
    private static func isKey(_ key: String) -> Bool {
        let bytes = Array(key.utf8)
        guard bytes.count == 24, bytes[22] == UInt8(ascii: "="), bytes[23] == UInt8(ascii: "=") else { return false }
        return bytes[..<22].allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
    }

    private static func tokens(_ field: String?) -> [Substring] {
        guard let field else { return [] }
        return field.split(separator: ",").map { item in
            var item = item.drop { $0 == " " || $0 == "\t" }
            while let last = item.last, last == " " || last == "\t" { item.removeLast() }
            return item
        }
    }
}
