import RoundhouseRooms

/// What a request has to show on a server with a key. Every endpoint has one for each of its methods.
enum AccessRule: Sendable, Hashable {
    /// Nothing: it says nothing of rooms and changes none.
    case nothing
    /// Any valid token.
    case anyToken
    /// A token for the path's room that permits this and names no other peer than the one that would come; a name that is
    /// taken is its holder's.
    case entry(PeerPermissions)
    /// The same; or the secret of the session that the path names, which goes on.
    case entryOrSession
    /// The secret of the session that the path names. Its token was shown when it began.
    case session
    /// A token for the path's room that permits this, from whoever made the broadcaster.
    case maker(PeerPermissions)
    /// A token for the room, which shows what the room can receive; the admin token, or one that grants admin, shows all.
    case roomOrOperator
    /// The admin token, or a token that grants admin. Without a key, programs of this machine need none.
    case administrator
    /// The same; without a key, programs of this machine need none if there is no admin token, and change nothing.
    case operation
    /// The same, or a token for the path's room that grants moderating.
    case moderation
    /// The metrics token, the admin token, or a token that grants admin. Without a metrics token, programs of this machine need
    /// none.
    case metrics
    /// What comes in asks for a token itself, once the connection stands.
    case connection
}
