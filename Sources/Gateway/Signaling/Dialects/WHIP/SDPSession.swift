import Rooms
import Synchronization

/// One WHIP or WHEP session: a peer of a room whose signaling connection is a URL.
///
/// It ends when its client deletes it, when the room closes its peer (lost consent, closed DTLS, a newer peer of the same
/// name), when everything it was sent has ended, or when its transport was never connected.
final class SDPSession: PeerConnectionSink {
    private struct State {
        var member: Member?
        /// What a viewer is sent, and what had ended before that was noted.
        var consumers: Set<ConsumerID> = []
        var endedConsumers: Set<ConsumerID> = []
        var isClosed = false
        /// The client's, from its offer or last restart.
        var clientFragment: String
        /// Ours, which is the entity tag too: it changes with each restart and only then.
        var fragment = ""
    }

    /// Where the session is in its room.
    struct Member: Sendable {
        let room: Room
        let peer: PeerSession
        let transport: WebRtcTransportDescription
        /// The section that stands for the transport (RFC 9143 §7).
        let mid: String
    }

    let key: SDPSessionTable.Key
    private let state: Mutex<State>
    private let ended: @Sendable () -> Void

    /// - Parameter ended: called once, when the room has closed the peer.
    init(key: SDPSessionTable.Key, clientFragment: String, ended: @escaping @Sendable () -> Void) {
        self.key = key
        self.ended = ended
        state = Mutex(State(clientFragment: clientFragment))
    }

    /// The session is negotiated; from here on it can be asked for.
    func started(_ member: Member, consumers: [ConsumerID]) {
        let hasEnded = state.withLock { state in
            state.member = member
            state.fragment = member.transport.iceParameters.usernameFragment
            state.consumers = Set(consumers).subtracting(state.endedConsumers)
            return !consumers.isEmpty && state.consumers.isEmpty
        }
        if hasEnded { leave() }
    }

    var member: Member? { state.withLock { $0.member } }
    var entityTag: String { state.withLock { "\"\($0.fragment)\"" } }
    var clientFragment: String { state.withLock { $0.clientFragment } }

    func restarted(clientFragment: String, fragment: String) {
        state.withLock { state in
            state.clientFragment = clientFragment
            state.fragment = fragment
        }
    }

    /// Leaves the room, which then closes this sink.
    private func leave() {
        guard let member else { return }
        Task { await member.room.disconnected(member.peer) }
    }

    // MARK: The room's side

    func notify(_ notification: ServerNotification) {
        guard case .consumerClosed(let id) = notification else { return }
        let isLast = state.withLock { state in
            state.endedConsumers.insert(id)
            return state.consumers.remove(id) != nil && state.consumers.isEmpty
        }
        if isLast { leave() }
    }

    /// It asks for what it wants; nothing can be offered, because its description is settled.
    func request(_ request: ServerRequest, completion: @escaping @Sendable (ServerRequestOutcome) -> Void) {
        completion(.rejected)
    }

    func close(_ reason: PeerCloseReason) {
        let isFirst = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        if isFirst { ended() }
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }
}

/// The sessions by their URLs.
final class SDPSessionTable: Sendable {
    /// What a session's path holds. The identifier is the only secret that lets one change or end it.
    struct Key: Sendable, Hashable {
        var endpoint: String
        var room: String
        var id: String
    }

    private let sessions = Mutex<[Key: SDPSession]>([:])

    subscript(key: Key) -> SDPSession? { sessions.withLock { $0[key] } }
    var count: Int { sessions.withLock { $0.count } }

    /// Makes a session with a new identifier of 128 random bits.
    func make(endpoint: String, room: String, clientFragment: String) -> SDPSession {
        let id = Self.hexadecimal(.random(in: 0 ... .max)) + Self.hexadecimal(.random(in: 0 ... .max))
        let key = Key(endpoint: endpoint, room: room, id: id)
        let session = SDPSession(key: key, clientFragment: clientFragment) { [weak self] in self?.remove(key) }
        sessions.withLock { $0[key] = session }
        return session
    }

    func remove(_ key: Key) { sessions.withLock { $0[key] = nil } }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
