public import RoundhouseMedia

/// The client's side of the DTLS handshake.
public struct RemoteDTLSParameters: Sendable, Hashable {
    /// The client's role; if it says `auto` or `server` the room's transport is the DTLS client.
    public var role: DTLSRole
    /// The fingerprints of the client's certificate; the first one is checked.
    public var fingerprints: [DTLSFingerprint]

    /// Parameters.
    public init(role: DTLSRole = .auto, fingerprints: [DTLSFingerprint]) {
        self.role = role
        self.fingerprints = fingerprints
    }
}
