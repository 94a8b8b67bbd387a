/// What a peer brings with it that its client cannot change.
public struct PeerGrant: Sendable, Hashable {
    /// What it may do.
    public var permissions: PeerPermissions
    /// The name the others are shown; `nil` leaves it to the client.
    public var displayName: String?
    /// From where its signaling came, for operators.
    public var address: String?
    /// By what it has its name; `nil` lets whoever comes under the same name take its place.
    public var claim: PeerClaim?

    /// A grant.
    public init(
        permissions: PeerPermissions = .all, displayName: String? = nil, claim: PeerClaim? = nil, address: String? = nil
    ) {
        self.permissions = permissions
        self.displayName = displayName
        self.claim = claim
        self.address = address
    }

    /// A peer that may do everything and chooses its name.
    public static let everything = PeerGrant()
}
