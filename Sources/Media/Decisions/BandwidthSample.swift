/// What was known of one receiver's network at one moment.
public struct BandwidthSample: Equatable, Sendable {
    /// When.
    public let at: MediaInstant
    /// What might be sent, in kilobits per second, as all rates here.
    public let estimate: UInt32
    /// What arrived.
    public let acknowledged: UInt32
    /// What the chosen layers and the sound cost.
    public let allocated: UInt32
    /// What all would cost that was wanted.
    public let wanted: UInt32
    /// How long packets waited on the path, in milliseconds.
    public let queue: UInt16
    /// To the receiver and back, in milliseconds; zero before it is known.
    public let roundTripTime: UInt16
    /// The part of packets that was lost, in 1/65536.
    public let loss: UInt16
    /// The part that is lost however much is sent, in 1/65536.
    public let inherentLoss: UInt16
    /// What changed the estimate last.
    public let cause: BandwidthCause
    /// What delays said.
    public let verdict: DelayVerdict
    /// What losses said.
    public let lossClass: LossClass
    /// Whether less was sent than the path was believed to carry.
    public let isApplicationLimited: Bool

    init(_ state: BandwidthState, allocated: UInt64, wanted: UInt64, at now: MediaInstant) {
        at = now
        estimate = Self.kilobits(state.estimate)
        acknowledged = Self.kilobits(state.acknowledged)
        self.allocated = Self.kilobits(allocated)
        self.wanted = Self.kilobits(wanted)
        queue = UInt16(clamping: state.queue.milliseconds)
        roundTripTime = UInt16(clamping: state.roundTripTime?.milliseconds ?? 0)
        loss = UInt16(clamping: state.loss)
        inherentLoss = UInt16(clamping: state.inherentLoss)
        cause = state.cause
        verdict = state.verdict
        lossClass = state.lossClass
        isApplicationLimited = state.isApplicationLimited
    }

    private static func kilobits(_ bits: UInt64) -> UInt32 {
        UInt32(clamping: bits / 1000 + (bits % 1000 < 500 ? 0 : 1))
    }
}
