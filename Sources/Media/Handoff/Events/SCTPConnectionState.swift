/// Where a transport's SCTP association is; mediasoup's `sctpState`.
public enum SCTPConnectionState: String, Sendable, Hashable {
    /// Nobody has begun.
    case new
    case connecting, connected
    /// The client broke the protocol, or made us hold too much.
    case failed
    /// One side has ended it.
    case closed
}
