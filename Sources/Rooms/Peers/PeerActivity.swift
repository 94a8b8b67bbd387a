/// What shows that somebody is at the other end of a peer's transports.
public struct PeerActivity: Sendable, Hashable {
    /// Whether connectivity checks watch over one of them (RFC 7675).
    public var isChecked: Bool
    /// Packets received and bytes of RTP sent so far; only grows.
    public var traffic: UInt64

    /// An activity.
    public init(isChecked: Bool, traffic: UInt64) {
        self.isChecked = isChecked
        self.traffic = traffic
    }
}
