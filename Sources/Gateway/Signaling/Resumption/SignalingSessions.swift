import RoundhouseMedia
import RoundhouseRooms
import Synchronization

/// The sessions whose clients may come back, by their peers.
final class SignalingSessions: Sendable {
    private struct Key: Hashable {
        var room: RoomID
        var peer: PeerID
    }

    private struct State {
        var sessions: [Key: SignalingSession] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())
    private let limit: Int

    /// - Parameter limit: sessions at a time.
    init(limit: Int) { self.limit = limit }

    var count: Int { state.withLock { $0.sessions.count } }
    /// How many have no connection at present.
    var away: Int { state.withLock { Array($0.sessions.values) }.count(where: \.isAway) }

    /// Takes a session whose peer is in its room, in place of an older one of the peer's.
    /// - Returns: `false` if there are too many, or the server stops.
    func add(_ session: SignalingSession) -> Bool {
        let key = Key(room: session.roomID, peer: session.peerID)
        let (isAdded, former) = state.withLock { state -> (Bool, SignalingSession?) in
            guard !state.isClosed, state.sessions.count < limit || state.sessions[key] != nil else {
                return (false, nil)
            }
            defer { state.sessions[key] = session }
            return (true, state.sessions[key])
        }
        // Closed by its room while its client was away, it would wait in vain.
        if let former, former !== session { former.end() }
        return isAdded
    }

    /// The peer's session, for who has its token.
    func session(of peer: PeerID, in room: RoomID, token: Secret) -> SignalingSession? {
        let session = state.withLock { $0.sessions[Key(room: room, peer: peer)] }
        guard let session, let expected = session.token, expected.matches(token), !session.membership.isOver else {
            return nil
        }
        return session
    }

    func remove(_ session: SignalingSession) {
        let key = Key(room: session.roomID, peer: session.peerID)
        state.withLock { state in
            if state.sessions[key] === session { state.sessions[key] = nil }
        }
    }

    /// Ends every session and takes no more. Safe to call twice.
    func close() {
        let sessions = state.withLock { state in
            state.isClosed = true
            return Array(state.sessions.values)
        }
        for session in sessions { session.close(.shutdown) }
    }
}
