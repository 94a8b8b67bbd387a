/// The server's side of the DTLS handshake.
public enum DTLSRole: String, Sendable, Hashable {
    case auto, client, server
}
