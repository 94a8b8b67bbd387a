/// Why a connection was not taken, or was cut before it became a session.
enum RefusalReason: String, CaseIterable {
    case tooManyConnections = "too_many_connections"
    case tooManyOfAddress = "too_many_of_address"
    case slowRequest = "slow_request"
    case malformedRequest = "malformed_request"
    case tlsHandshake = "tls_handshake"
    /// The server could not make it ready, for a reason of its own.
    case setUpFailed = "set_up_failed"
}
