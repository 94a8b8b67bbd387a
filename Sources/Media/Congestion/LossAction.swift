/// What observed loss asks of the estimate.
enum LossAction: Equatable, Sendable {
    case none
    /// Not more than so much, in bits per second.
    case limit(UInt64, because: BandwidthCause)
    /// What was believed before a trial holds again.
    case restore(UInt64)
}
