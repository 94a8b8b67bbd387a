/// What one consumer was given from one moment on, and why it was no more.
public struct LayerChange: Equatable, Sendable {
    /// Since when.
    public let at: MediaInstant
    /// Which consumer.
    public let consumer: ConsumerKey
    /// The layers it may get; `nil` for none. A temporal layer of 7 stands for all.
    public let layers: ConsumerLayers?
    /// Why no more.
    public let reason: LayerReason
    /// What they cost, in kilobits per second.
    public let cost: UInt32
    /// What the next step would cost more, in kilobits per second; zero at the top.
    public let nextStep: UInt32
}
