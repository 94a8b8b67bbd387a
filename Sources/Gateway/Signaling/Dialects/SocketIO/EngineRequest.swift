import HTTPTypes
import RoundhouseMedia
import RoundhouseRooms

/// The query of a request to `/socket.io/`: which transport, and which session.
struct EngineRequest: Sendable, Hashable {
    enum Transport: String, Sendable {
        case polling, webSocket = "websocket"
    }

    var transport: Transport
    /// The session's name; `nil` asks for a new one.
    var session: Secret?
    /// Of a poll or a post, if the client counts them: a browser may send one again whose response was lost.
    var number: UInt64?

    /// - Returns: why it is none of Engine.IO's requests if it is not.
    static func read(_ target: RequestTarget) -> Result<EngineRequest, EngineProblem> {
        guard let version = target["EIO"], version == "4" else { return .failure(.unsupportedVersion) }
        guard let transport = target["transport"].flatMap(Transport.init) else { return .failure(.unknownTransport) }
        let number = target["n"].flatMap { UInt64($0) }
        return .success(EngineRequest(transport: transport, session: target["sid"].map(Secret.init), number: number))
    }

    /// Whether a path is Engine.IO's: `/socket.io/`, with or without the slash.
    static func isPath(_ path: [String]) -> Bool { path == ["socket.io"] || path == ["socket.io", ""] }
}
