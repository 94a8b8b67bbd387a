/// A browser's association: ICE finds the way, DTLS the keys (RFC 8445, RFC 5764).
struct WebRTCAssociation: ~Copyable {
    var ice: ICELiteAgent
    var dtls: DTLSConnection
    /// The client's side of the handshake, as the room said; `auto` until then.
    var dtlsRole = DTLSRole.auto
    var isHandshakeStarted = false
    /// As the room knows it.
    var dtlsState = DTLSState.new
    /// Of the present credentials, and of those before a restart.
    var usernameFragments: [String]

    init(_ settings: TransportSettings, _ dtls: DTLSConnection) {
        ice = ICELiteAgent(credentials: settings.iceCredentials, consentTimeout: settings.consentTimeout)
        self.dtls = dtls
        usernameFragments = [settings.iceCredentials.usernameFragment]
    }
}
