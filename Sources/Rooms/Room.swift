import Media

/// One connection of a peer to a room: requests of a connection that was replaced by a newer one are refused.
public struct PeerSession: Sendable, Hashable {
    /// Which peer.
    public let peerID: PeerID
    /// Counts the connections of the room.
    let serial: UInt64
}

/// A room: its router, its peers, and what they send each other.
///
/// Get one from a `RoomRegistry`. Requests of one connection are to be awaited one after the other.
public actor Room {
    /// The room's name.
    public nonisolated let id: RoomID
    /// What the router can receive.
    public nonisolated let routerCapabilities: RTPCapabilities

    init(id: RoomID, routerCapabilities: RTPCapabilities) {
        self.id = id
        self.routerCapabilities = routerCapabilities
    }

    /// Answers a request of a connected client.
    /// - Throws: `RoomError`, to be told to the client.
    public func request(
        _ request: SignalingRequest, from session: PeerSession
    ) async throws(RoomError) -> SignalingResponse {
        throw RoomError(.notImplemented, "rooms are being written")
    }

    /// The client's connection is gone: its peer leaves. Ignored for a connection that was replaced.
    public func disconnected(_ session: PeerSession) {}

    /// Closes every peer, then the room. Safe to call twice.
    public func close(_ reason: PeerCloseReason = .roomClosed) {}

    /// The room as it is, with the media threads' counters as far as they arrive within `statisticsTimeout`.
    public func snapshot() async -> RoomSnapshot { RoomSnapshot(id: id, peers: [], isComplete: true) }
}
