/// What a client keeps of the server until it gives it back.
enum ClientHolding: CaseIterable, Sendable {
    case connection
    /// Whatever lives on without a connection: sessions of signaling, of Engine.IO, of WHIP and WHEP, and broadcasters. Each is
    /// at most one peer, in at most one room.
    case session
    /// A room's name that nobody has come to yet.
    case roomName

    /// What it is counted as where there were too many.
    var limit: GatewayLimit {
        switch self {
        case .connection: .connectionsPerAddress
        case .session: .sessionsPerAddress
        case .roomName: .roomNamesPerAddress
        }
    }
}
