public import Rooms

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

    /// What the room has to know.
    var peerGrant: PeerGrant { PeerGrant(permissions: permissions, displayName: name) }
}

/// Why a token gives nothing; the names are labels of a metric.
enum TokenProblem: String, Error, CaseIterable {
    case missing
    case tooLong = "too_long"
    case malformed
    case algorithm
    case unknownKey = "unknown_key"
    case signature
    case expired
    case notYetValid = "not_yet_valid"
    case wrongRoom = "wrong_room"
    case wrongPeer = "wrong_peer"
    case notAdmin = "not_admin"

    /// Whether a better token would be needed, rather than one with more rights.
    var isUnauthenticated: Bool {
        switch self {
        case .wrongRoom, .wrongPeer, .notAdmin: false
        case .missing, .tooLong, .malformed, .algorithm, .unknownKey, .signature, .expired, .notYetValid: true
        }
    }

    var message: String {
        switch self {
        case .missing: "this server wants a token: give it as ?token=… or as Authorization: Bearer …"
        case .tooLong: "a token has at most \(TokenVerifier.maximumBytes) bytes"
        case .malformed: "the token is not a JWT with the claims of this server"
        case .algorithm: "the token has to be signed with the algorithm of this server's key (HS256 for a secret)"
        case .unknownKey: "the token names a key that this server does not have"
        case .signature: "the token's signature is not of this server's key"
        case .expired: "the token has expired: get a new one"
        case .notYetValid: "the token is not valid yet: its nbf is in the future"
        case .wrongRoom: "the token is for another room"
        case .wrongPeer: "the token is for another peer id"
        case .notAdmin: "the token does not grant admin"
        }
    }

    /// The error a client gets.
    var roomError: RoomError { RoomError(isUnauthenticated ? .unauthorized : .forbidden, message) }
}
