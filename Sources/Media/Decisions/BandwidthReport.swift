/// What a receiver's network carries and what it is asked to, for its client. In bits per second.
public struct BandwidthReport: Equatable, Sendable {
    /// What may be sent.
    public let available: UInt64
    /// What all would cost that the client wants.
    public let desired: UInt64
    /// What is sent of that.
    public let allocated: UInt64

    /// Whether a client should be sent it, which was sent the other one last.
    func isNews(after other: BandwidthReport) -> Bool {
        Self.differs(available, other.available) || Self.differs(desired, other.desired)
            || (available < desired) != (other.available < other.desired)
    }

    /// By more than an eighth.
    private static func differs(_ a: UInt64, _ b: UInt64) -> Bool { max(a, b) - min(a, b) > max(a, b) / 8 }
}
