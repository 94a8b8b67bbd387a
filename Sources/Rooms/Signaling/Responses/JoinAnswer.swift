/// What a peer learns by joining: of the others, and of itself.
public struct JoinAnswer: Sendable, JSONRepresentable {
    /// The others in the room.
    public var peers: [PeerDescription]
    /// The name that the others are shown, which may be the token's.
    public var displayName: String
    /// What the peer may do.
    public var permissions: PeerPermissions
    /// Whether a moderator has locked the room.
    public var isRoomLocked: Bool

    /// An answer.
    public init(
        peers: [PeerDescription], displayName: String, permissions: PeerPermissions, isRoomLocked: Bool = false
    ) {
        self.peers = peers
        self.displayName = displayName
        self.permissions = permissions
        self.isRoomLocked = isRoomLocked
    }

    /// mediasoup-demo's `peers`, and this server's additions.
    public var json: JSONValue {
        .object([
            "peers": .array(peers.map(\.json)), "displayName": .string(displayName), "permissions": permissions.json,
            "locked": .bool(isRoomLocked),
        ])
    }
}
