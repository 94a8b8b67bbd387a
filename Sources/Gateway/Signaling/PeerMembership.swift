import RoundhouseRooms
import Synchronization

/// A signaling session's place in a room. Every kind of session has one: it ends once, and its peer leaves once.
final class PeerMembership: Sendable {
    private struct State {
        var member: RoomMember?
        var isOver = false
    }

    private let state = Mutex(State())
    /// The TURN servers that the session's client gets, if any: its allocations end with the session.
    let servers: ICEServers?

    init(servers: ICEServers? = nil) { self.servers = servers }

    /// What an answer that describes a transport says beside: `iceServers`, as mediasoup-client's transports take them.
    var iceServers: JSONValue { .fields(["iceServers": servers?.json]) }

    var member: RoomMember? { state.withLock { $0.member } }
    /// Whether the session has ended.
    var isOver: Bool { state.withLock { $0.isOver } }

    /// The room has taken the peer. If the session ended in the meantime, the peer leaves again.
    func entered(_ member: RoomMember) async {
        let isOver = state.withLock { state in
            if !state.isOver { state.member = member }
            return state.isOver
        }
        if isOver { await member.room.disconnected(member.peer) }
    }

    /// The session has ended.
    /// - Returns: whether this is the first time.
    func end() -> Bool {
        let isFirst = state.withLock { state in
            defer { state.isOver = true }
            return !state.isOver
        }
        if isFirst { servers?.end() }
        return isFirst
    }

    /// Takes the peer out of the session without a word to its room.
    func take() -> RoomMember? {
        state.withLock { state in
            defer { state.member = nil }
            return state.member
        }
    }

    /// The peer's client is gone: the peer leaves its room, unless it has. A no-op if the room itself closed the peer.
    /// - Returns: whether there was a peer to leave.
    @discardableResult
    func leave() async -> Bool {
        guard let member = take() else { return false }
        await member.room.disconnected(member.peer)
        return true
    }
}
