/// What a `DTLSConnection` has to tell its transport.
enum DTLSEvent: Equatable {
    case connecting
    /// The handshake is complete and the peer's certificate has the promised fingerprint.
    case connected(SRTPKeyingMaterial)
    /// What the peer sent as application data, one record: an SCTP packet (RFC 8261).
    case applicationData([UInt8])
    case failed(DTLSFailure)
    /// The peer said close_notify after the connection was made.
    case closed
}
