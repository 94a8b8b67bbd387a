/// DTLS states, as mediasoup names them.
public enum DTLSState: String, Sendable, Hashable {
    case new, connecting, connected, failed, closed
}
