import RoundhouseMedia

/// Somebody who is kept out of a room: by the token, on servers without keys by the address, that it was there with.
public struct RoomBan: Sendable, Hashable, JSONRepresentable {
    /// Names it among the room's bans.
    public let id: String
    /// The peer that was sent away.
    public let peerID: PeerID
    /// How it was called.
    public let displayName: String
    /// When it ends, in milliseconds since 1970.
    public let until: Int64
    let claim: PeerClaim

    /// The ban without what it knows its client by, which may be a token.
    public var json: JSONValue {
        .object([
            "id": .string(id), "peerId": .string(peerID.rawValue), "displayName": .string(displayName),
            "by": .string(claim.kind), "until": .integer(until),
        ])
    }

    /// Whether it is about whoever comes with this claim.
    func keepsOut(_ peer: PeerID, _ other: PeerClaim) -> Bool {
        switch (claim, other) {
        case (.token(let own, let namesPeer), .token(let shown, let names)):
            own.matches(shown) || (namesPeer && names && peer == peerID)
        case (.address(let own), .address(let shown)): !own.isEmpty && own == shown
        case (.token, .address), (.address, .token): false
        }
    }
}
