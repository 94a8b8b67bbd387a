/// How a client reaches the TURN server that relays its media.
public enum RelayKind: String, Sendable, Hashable, CaseIterable {
    case udp, tcp, tls
}
