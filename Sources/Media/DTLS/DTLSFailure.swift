/// Why a DTLS connection failed. The raw values are what operators read.
public enum DTLSFailure: String, Error, Sendable, CaseIterable {
    /// The peer's certificate is not the one its signaling promised.
    case fingerprintMismatch = "fingerprint_mismatch"
    /// The peer showed none.
    case noPeerCertificate = "no_peer_certificate"
    /// No SRTP profile in common, or no use_srtp extension at all.
    case noSRTPProfile = "no_srtp_profile"
    /// The peer stopped answering: the next retransmission would come 30 s or more later.
    case timedOut = "timed_out"
    /// The peer sent a fatal alert.
    case alertReceived = "alert_received"
    /// The peer closed before the connection was made.
    case closedByPeer = "closed_by_peer"
    /// A message of the peer's broke the protocol, or nothing in common could be negotiated.
    case protocolViolation = "protocol_violation"
    /// libssl failed on our side: out of memory.
    case internalError = "internal_error"
}
