import RoundhouseMedia
import RoundhouseRooms
import Synchronization

/// A peer that gets no notifications and does everything by single HTTP requests.
final class Broadcaster: PeerChannel {
    struct Key: Sendable, Hashable {
        var room: String
        var id: String
    }

    /// Whoever made a broadcaster, and what proves that a request is theirs: each comes by itself, and the names in its path are
    /// known to everybody in the room.
    struct Owner: Sendable {
        /// What the first reply has: with it a request is its maker's wherever it comes from.
        let session = ResumptionToken.random()
        /// What it was made with, if the server has a key.
        var accessToken: Secret?
        var address: ClientAddress?

        /// Whether a request comes from whoever made the broadcaster of this id.
        /// - Parameter grants: what the request's token grants; `nil` on a server without a key, where there are no tokens. The
        ///   scripts of mediasoup-demo then show nothing at all, and are known by their address.
        func isMaker(
            of id: String, session given: Secret?, accessToken token: Secret?, grants: AccessGrants?,
            from address: ClientAddress?
        ) -> Bool {
            if let given, session.matches(given) { return true }
            guard let grants else { return address?.counted == self.address?.counted }
            // A token that names the peer speaks for it, whenever it was made.
            if grants.peer == id { return true }
            guard let token, let accessToken else { return false }
            return accessToken.matches(token)
        }
    }

    private struct State {
        var capabilities: RTPCapabilities?
        var requests = 0
        var idle = IdleWatch()
    }

    let key: Key
    /// What it will join as.
    let join: JoinRequest
    /// Its creator.
    let owner: Owner
    /// What its client may send.
    let intake: SignalingIntake
    let membership = PeerMembership()
    private let lease: HoldingLease
    private let state: Mutex<State>
    private let ended: @Sendable () -> Void

    /// - Parameter ended: called once, when the room has closed the peer.
    init(
        key: Key, join: JoinRequest, owner: Owner, intake: SignalingIntake, lease: HoldingLease,
        ended: @escaping @Sendable () -> Void
    ) {
        self.key = key
        self.join = join
        self.owner = owner
        self.intake = intake
        self.lease = lease
        self.ended = ended
        state = Mutex(State(capabilities: join.rtpCapabilities))
    }

    var capabilities: RTPCapabilities? { state.withLock { $0.capabilities } }

    /// Its client has asked for something.
    func requested() { state.withLock { $0.requests &+= 1 } }

    /// Looks whether its client is still there.
    /// - Returns: looks in a row, this one included, since which there was neither a request nor a packet.
    func idleLooks(_ activity: PeerActivity) -> Int {
        state.withLock { $0.idle.look(requests: $0.requests, activity) }
    }

    // MARK: The room's side

    func notify(_ notification: ServerNotification) {}

    func close(_ reason: PeerCloseReason) {
        guard membership.end() else { return }
        lease.release()
        ended()
    }
}
