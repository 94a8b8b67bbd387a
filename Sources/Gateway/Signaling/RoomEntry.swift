import HTTPTypes
import RoundhouseMedia
import RoundhouseRooms

/// Which peer wants to enter which room, and in which dialect: the query of a WebSocket's handshake, or a request's.
struct RoomEntry: Sendable {
    /// What a client shows that comes back.
    struct Resumption: Sendable {
        var token: Secret
        /// The number of the last message it has.
        var acknowledged: UInt64
    }

    var room: RoomID
    var peer: PeerID
    var password: Secret
    var dialect: any SignalingDialect
    /// How many consumers more than one the peer gets of each producer, as mediasoup-demo's servers do: there for the whole
    /// room, here for whoever asks.
    var consumerReplicas = 0
    static let mostConsumerReplicas = 9
    /// The client wants to be able to come back.
    var isResumable: Bool
    /// What lets it in, if the server asks for that.
    var accessToken: Secret?
    /// Where it comes from.
    var origin = ClientOrigin.unknown
    /// The client comes back.
    var resumption: Resumption?

    /// - Parameters:
    ///   - target: `password`, `protocol`, `consumerReplicas`, `resumption`, `resume` and `ack` are in its query.
    ///   - fields: where password and session may stand instead (`ShownSecret`).
    init(
        room: String, peer: String, _ target: RequestTarget, _ fields: HTTPFields
    ) throws(SignalingHandshake.Problem) {
        self.room = RoomID(room)
        self.peer = PeerID(peer)
        password = Secret(target["password"] ?? ShownSecret.password(fields) ?? "")
        switch target["protocol"] {
        case nil, "2024": dialect = ProtooDialect()
        case "2026": dialect = ProtooDialect(vocabulary: Protoo2026())
        default: throw Self.problem("protocol has to be 2024 or 2026")
        }
        if let text = target["consumerReplicas"] {
            guard let count = Int(text), (0...Self.mostConsumerReplicas).contains(count) else {
                throw Self.problem("consumerReplicas has to be 0 to \(Self.mostConsumerReplicas)")
            }
            consumerReplicas = count
        }
        isResumable = target["resumption"] == "yes"
        guard let token = target["resume"] ?? ShownSecret.subprotocol("resume", fields) else { return }
        guard let acknowledged = UInt64(target["ack"] ?? "0") else {
            throw Self.problem("ack has to be the number of the last message received")
        }
        resumption = Resumption(token: Secret(token), acknowledged: acknowledged)
    }

    private static func problem(_ message: String) -> SignalingHandshake.Problem {
        SignalingHandshake.Problem(response: .failure(.badRequest, code: "invalid-parameter", message))
    }
}
