/// What a shard counts. Every case is a metric `roundhouse_media_<label>_total`.
public enum ShardCounter: Int, CaseIterable, Sendable {
    case datagramsReceived
    case bytesReceived
    case datagramsSent
    case bytesSent
    /// What the kernel was handed: a message is one datagram, or several of equal size for one destination.
    case messagesSent
    /// Larger than an Ethernet path's MTU of 1,500 bytes carries whole: the kernel sends it in IP fragments, which many
    /// paths lose.
    case datagramsAboveMTU
    case packetsReceived
    case packetsForwarded
    case packetsRetransmitted
    case packetsToOtherShards
    case nacksSent
    case nacksReceived
    case keyFrameRequestsSent
    case keyFrameRequestsReceived
    case keyFramesReceived
    case transportFeedbackSent
    /// BYE packets (RFC 3550 §6.6).
    case goodbyesReceived
    case reportsSent
    case stunRequests
    case stunRejected
    /// Checks without PRIORITY (RFC 8445 §7.1.1), which were answered all the same.
    case stunWithoutPriority
    case handshakesCompleted
    case handshakesFailed
    case transportsOpened
    case transportsClosed
    case commands
    /// Commands for something that was closed in the meantime: a legitimate race.
    case commandsIgnored
    /// Trace events beyond what a transport may tell in a second, or that a room had no place for.
    case traceEventsDropped
    /// Streams that went on under another SSRC than the announced one.
    case streamsTakenOver
    case wakeups

    /// The metric's name part: the case's name in snake case.
    public var label: String { snakeCase(String(describing: self)) }
}
