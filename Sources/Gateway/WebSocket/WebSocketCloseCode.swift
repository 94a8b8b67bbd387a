/// The status code of a close frame (RFC 6455 §7.4).
struct WebSocketCloseCode: RawRepresentable, Hashable, Sendable {
    let rawValue: UInt16

    static let normal = WebSocketCloseCode(rawValue: 1000)
    static let goingAway = WebSocketCloseCode(rawValue: 1001)
    static let protocolError = WebSocketCloseCode(rawValue: 1002)
    static let unacceptableData = WebSocketCloseCode(rawValue: 1003)
    /// Never sent: a close frame without a code.
    static let noStatus = WebSocketCloseCode(rawValue: 1005)
    /// Never sent: the connection ended without a close frame.
    static let abnormal = WebSocketCloseCode(rawValue: 1006)
    static let invalidData = WebSocketCloseCode(rawValue: 1007)
    static let policyViolation = WebSocketCloseCode(rawValue: 1008)
    static let messageTooLarge = WebSocketCloseCode(rawValue: 1009)
    static let internalError = WebSocketCloseCode(rawValue: 1011)
    /// IANA's registry of close codes.
    static let tryAgainLater = WebSocketCloseCode(rawValue: 1013)
    /// protoo's code for "the server closed this peer": its client does not reconnect after it.
    static let closedByServer = WebSocketCloseCode(rawValue: 4000)
    /// The session that a client came back for is over: it begins a new one.
    static let sessionOver = WebSocketCloseCode(rawValue: 4001)
    /// A client's own: it gives up this connection and will be back by another.
    static let willBeBack = WebSocketCloseCode(rawValue: 4002)

    /// The codes an endpoint may put into a close frame (RFC 6455 §7.4.1, §7.4.2 and IANA's registry).
    static func isSendable(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}
