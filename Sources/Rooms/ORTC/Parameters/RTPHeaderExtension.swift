public import RoundhouseMedia

/// A header extension an endpoint understands (RFC 8285).
public struct RTPHeaderExtension: Sendable, Hashable {
    /// The kind of media it may be used with.
    public var kind: MediaKind
    /// What it means.
    public var uri: String
    /// The identifier it is sent with.
    public var preferredID: UInt8
    /// Whether it is to be encrypted (RFC 6904).
    public var preferredEncrypt: Bool
    /// Which side sends it.
    public var direction: HeaderExtensionDirection

    /// An extension.
    public init(
        kind: MediaKind, uri: String, preferredID: UInt8, preferredEncrypt: Bool = false,
        direction: HeaderExtensionDirection = .sendrecv
    ) {
        self.kind = kind
        self.uri = uri
        self.preferredID = preferredID
        self.preferredEncrypt = preferredEncrypt
        self.direction = direction
    }
}
