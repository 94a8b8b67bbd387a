import RoundhouseRooms

/// A peer and the room it is in.
struct RoomMember: Sendable {
    let room: Room
    let peer: PeerSession
}
