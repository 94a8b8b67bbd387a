/// What is known of the bandwidth towards one receiver: for the allocation, for statistics and for explanations.
struct BandwidthState: Equatable, Sendable {
    /// What may be sent, in bits per second.
    var estimate: UInt64
    var cause: BandwidthCause
    /// What has arrived lately, in bits per second.
    var acknowledged: UInt64
    /// The most that has arrived within a minute without any sign of congestion, in bits per second.
    var proven: UInt64
    /// What arrived when the path was last found full, in bits per second; `nil` before.
    var ceiling: UInt64?
    /// How long packets wait on the path.
    var queue: MediaDuration
    /// The part of packets that was lost lately, in 1/65536.
    var loss: Int32
    /// The part that is lost however much is sent, in 1/65536.
    var inherentLoss: Int32
    var roundTripTime: MediaDuration?
    var verdict: DelayVerdict
    var lossClass: LossClass
    /// Whether less is sent than the path is believed to carry.
    var isApplicationLimited: Bool
}
