import RoundhouseRooms
import Synchronization

/// One WHIP or WHEP session: a peer of a room whose signaling connection is a URL.
///
/// It ends when its client deletes it, when the room closes its peer (lost consent, closed DTLS, a newer peer of the same
/// name), when everything it was sent has ended, or when its transport was never connected.
final class SDPSession: PeerChannel {
    private struct State {
        /// The negotiated transport, and the section that stands for it (RFC 9143 §7).
        var transport: (description: WebRtcTransportDescription, mid: String)?
        /// What a viewer is sent, and what had ended before that was noted.
        var consumers: Set<ConsumerID> = []
        var endedConsumers: Set<ConsumerID> = []
        /// The client's, from its offer or last restart.
        var clientFragment: String
        /// Ours, which is the entity tag too: it changes with each restart and only then.
        var fragment = ""
        var hasRestarted = false
    }

    let key: SDPSessionTable.Key
    /// From 1: which of the room's sessions of this kind it is, so that people can tell those without a name apart.
    let number: Int
    let membership: PeerMembership
    private let lease: HoldingLease
    private let state: Mutex<State>
    private let ended: @Sendable () -> Void

    /// - Parameter ended: called once, when the room has closed the peer.
    init(
        key: SDPSessionTable.Key, number: Int = 1, clientFragment: String, lease: HoldingLease,
        servers: ICEServers? = nil, ended: @escaping @Sendable () -> Void
    ) {
        self.key = key
        self.number = number
        self.lease = lease
        self.ended = ended
        membership = PeerMembership(servers: servers)
        state = Mutex(State(clientFragment: clientFragment))
    }

    /// The session is negotiated; from here on it can be asked for.
    func started(_ transport: WebRtcTransportDescription, mid: String, consumers: [ConsumerID]) async {
        let hasEnded = state.withLock { state in
            state.transport = (transport, mid)
            state.fragment = transport.iceParameters.usernameFragment
            state.consumers = Set(consumers).subtracting(state.endedConsumers)
            return !consumers.isEmpty && state.consumers.isEmpty
        }
        if hasEnded { await membership.leave() }
    }

    var transport: (description: WebRtcTransportDescription, mid: String)? { state.withLock { $0.transport } }
    var entityTag: String { state.withLock { "\"\($0.fragment)\"" } }
    /// Whether the entity tag was another one before.
    var hasRestarted: Bool { state.withLock { $0.hasRestarted } }
    var clientFragment: String { state.withLock { $0.clientFragment } }

    func restarted(clientFragment: String, fragment: String) {
        state.withLock { state in
            state.clientFragment = clientFragment
            state.fragment = fragment
            state.hasRestarted = true
        }
    }

    // MARK: The room's side

    func notify(_ notification: ServerNotification) {
        guard case .consumerClosed(let id) = notification else { return }
        let isLast = state.withLock { state in
            state.endedConsumers.insert(id)
            return state.consumers.remove(id) != nil && state.consumers.isEmpty
        }
        if isLast { Task { await membership.leave() } }
    }

    func close(_ reason: PeerCloseReason) {
        guard membership.end() else { return }
        lease.release()
        ended()
    }
}
