/// What is known of the bandwidth towards one receiver: for the allocation, for statistics and for explanations.
public struct BandwidthState: Equatable, Sendable {
    /// What may be sent, in bits per second.
    public var estimate: UInt64
    /// What changed it last.
    public var cause: BandwidthCause
    /// What has arrived lately, in bits per second.
    public var acknowledged: UInt64
    /// The most that has arrived within a minute without any sign of congestion, in bits per second.
    public var proven: UInt64
    /// What arrived when the path was last found full, in bits per second; `nil` before.
    public var ceiling: UInt64?
    /// How long packets wait on the path.
    public var queue: MediaDuration
    /// The part of packets that was lost lately, in 1/65536.
    public var loss: Int32
    /// The part that is lost however much is sent, in 1/65536.
    public var inherentLoss: Int32
    /// To the receiver and back, without what it waits before it tells; `nil` before the first feedback.
    public var roundTripTime: MediaDuration?
    /// What delays say.
    public var verdict: DelayVerdict
    /// What losses say.
    public var lossClass: LossClass
    /// Whether less is sent than the path is believed to carry.
    public var isApplicationLimited: Bool
}
