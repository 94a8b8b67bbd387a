/// What is known of a path after a feedback.
struct BandwidthObservation: Equatable {
    var verdict: DelayVerdict
    /// How long packets wait, in nanoseconds.
    var queue: Int64
    /// Whether packets wait longer than noise explains.
    var isQueueing: Bool
    /// Whether the queue of an earlier congestion is gone.
    var isDrained: Bool
    /// In bits per second, over half a second.
    var acknowledged: UInt64
    /// The same over the last moments, for a path that has become full.
    var latest: UInt64
    var proven: UInt64
    /// What was proven before the last reduction, until its queue is gone.
    var provenBefore: UInt64
    /// Whether less is sent than the path is believed to carry.
    var isApplicationLimited: Bool
    /// In 1/65536.
    var loss: Int32
    /// In 1/65536.
    var inherentLoss: Int32
    var roundTripTime: MediaDuration
    /// When the newest packet was sent that is known to have arrived.
    var newestSentAt: MediaInstant
    /// All bytes sent since the start until then.
    var sentBytes: UInt64
    var lossAction: LossAction
    /// What exceeds it is dropped on the path.
    var policedRate: UInt64?
    /// Whether less is sent to see if that lowers the loss.
    var isTrying: Bool
}
