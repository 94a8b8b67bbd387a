/// The transport protocol under ICE.
public enum CandidateTransport: String, Sendable, Hashable {
    case udp, tcp
}
