/// Why a DTLS connection failed.
enum DTLSFailure: String, Error, Sendable, CaseIterable {
    /// The peer's certificate is not the one its signaling promised.
    case fingerprintMismatch
    case noPeerCertificate
    /// No SRTP profile in common, or no use_srtp extension at all.
    case noSRTPProfile
    /// The peer stopped answering: the next retransmission would come 30 s or more later.
    case timedOut
    /// The peer sent a fatal alert.
    case alertReceived
    /// The peer closed before the connection was made.
    case closedByPeer
    /// A message of the peer's broke the protocol, or nothing in common could be negotiated.
    case protocolViolation
    /// libssl failed on our side: out of memory.
    case internalError
}
