/// What a client did that ends its connection.
struct HTTP2Violation: Error, Equatable {
    /// A closed list: the names are labels of a metric.
    enum Kind: String, CaseIterable {
        /// Streams opened and given up again, at a rate.
        case rapidReset = "rapid_reset"
        /// PING, SETTINGS and other frames that only make work, at a rate.
        case controlFlood = "control_flood"
        /// A head in more CONTINUATION frames than any head needs.
        case continuationFlood = "continuation_flood"
        /// A head that unpacks to many times what is allowed.
        case headerBomb = "header_bomb"
        /// Anything else that RFC 9113 or RFC 7541 calls a connection error.
        case protocolError = "protocol_error"
    }

    let kind: Kind
}
