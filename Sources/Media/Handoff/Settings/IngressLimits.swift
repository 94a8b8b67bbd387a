/// What publishers may send: everything of it goes to all who watch.
public struct IngressLimits: Sendable, Hashable {
    /// Of one producer in Mbit/s, its encodings and retransmissions together.
    public var megabitsPerProducer: Int
    /// Of one transport, all its producers together.
    public var megabitsPerTransport: Int

    /// Limits; the defaults are several times of what a camera or a screen in 4K takes.
    public init(megabitsPerProducer: Int = 100, megabitsPerTransport: Int = 200) {
        self.megabitsPerProducer = megabitsPerProducer
        self.megabitsPerTransport = megabitsPerTransport
    }
}
