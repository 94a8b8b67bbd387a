/// What a `DTLSConnection` has to tell its transport.
enum DTLSEvent: Equatable {
    case connecting
    /// The handshake is complete and the peer's certificate has the promised fingerprint.
    case connected(SRTPKeyingMaterial)
    case failed(DTLSFailure)
    /// The peer said close_notify after the connection was made.
    case closed
}

/// Why a DTLS connection failed.
enum DTLSFailure: String, Sendable, CaseIterable {
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

/// What a connection ignored or dropped.
struct DTLSCounters: Equatable {
    /// Datagrams that cannot be DTLS, or came before `start` or after the end.
    var ignoredDatagrams: UInt64 = 0
    /// Bytes of application data received and thrown away.
    var ignoredApplicationBytes: UInt64 = 0
    /// Flights sent again because their answer did not come.
    var retransmissions: UInt64 = 0
    /// Outgoing datagrams dropped because nobody polled them.
    var droppedOutgoing: UInt64 = 0
}
