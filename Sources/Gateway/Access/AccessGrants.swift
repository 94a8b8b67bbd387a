public import RoundhouseRooms

/// What its bearer may do, as a token says or as everybody may if the server has no key.
public struct AccessGrants: Sendable, Hashable {
    /// The room that may be entered; `*` is any, `nil` none.
    public var room: String?
    /// What a peer may do in the room.
    public var permissions: PeerPermissions
    /// Whether the state of the server may be read and changed.
    public var isAdmin: Bool
    /// The name the others are shown, whatever the client says; `nil` leaves it to the client.
    public var name: String?
    /// The only peer id that may be used; `nil` leaves it to the client.
    public var peer: String?

    /// Grants.
    public init(
        room: String?, permissions: PeerPermissions = .all, isAdmin: Bool = false, name: String? = nil,
        peer: String? = nil
    ) {
        self.room = room
        self.permissions = permissions
        self.isAdmin = isAdmin
        self.name = name
        self.peer = peer
    }

    /// What everybody may if the server has no key.
    static let open = AccessGrants(room: "*")

    /// Any room's.
    static let anyRoom = "*"

    func admits(to id: RoomID) -> Bool { room == Self.anyRoom || room == id.rawValue }

    /// - Throws: `RoomError` with code `forbidden` for what the token does not permit.
    func require(_ act: PeerPermissions) throws(RoomError) {
        guard !permissions.contains(act) else { return }
        throw RoomError(.forbidden, "the token does not permit it: \(act == .publish ? "publish" : "subscribe")")
    }

    /// Whether its bearer may do in this room what moderators may.
    func moderates(_ id: RoomID) -> Bool { isAdmin || permissions.contains(.moderate) && admits(to: id) }

    /// What the room has to know.
    /// - Parameter address: from where the client's signaling came.
    func peerGrant(_ claim: PeerClaim, from address: ClientAddress?) -> PeerGrant {
        PeerGrant(
            permissions: isAdmin ? permissions.union(.moderate) : permissions, displayName: name, claim: claim,
            address: address?.description)
    }
}
