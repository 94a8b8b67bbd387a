/// Why an association has ended.
enum SCTPEnd: Hashable, Sendable {
    /// Both sides have shut it down in order.
    case shutDown
    /// We have aborted it.
    case aborted
    /// The peer has aborted it, for the reason of this number (RFC 9260 §3.3.10), if it gave one.
    case abortedByPeer(UInt16?)
    /// The peer broke the protocol.
    case protocolViolation
    /// The peer made us hold more than it may.
    case outOfResource
    /// Packets were repeated in vain as often as the settings allow.
    case unanswered
}
