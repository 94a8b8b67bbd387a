/// A path's bottleneck and what lies behind it. Times are in seconds, rates in bits per second.
struct Path {
    /// What the bottleneck carries at a time; zero: nothing passes, what comes waits.
    var rate: (Double) -> Double = { _ in 1_000_000 }
    /// How much the bottleneck's queue holds, in seconds of `nominalRate`.
    var queueTime = 0.3
    var nominalRate = 1_000_000.0
    /// One way, each way, without queue.
    var delay: (Double) -> Double = { _ in 0.025 }
    var randomLoss: (Double) -> Double = { _ in 0 }
    /// Loss in bursts: the part, and a burst's mean length in packets.
    var burstLoss: (part: Double, length: Double)?
    /// Token bucket in bytes at `rate`, in place of the queue.
    var policerBucket: Double?
    /// Added delay between two bounds, correlated over time, in order.
    var jitter: (low: Double, high: Double)?
    /// A part of the packets takes up to so much longer, and is overtaken.
    var reorder: (part: Double, delay: Double)?
    /// Everything that is sent then is lost.
    var isDown: (Double) -> Bool = { _ in false }
    var feedbackLoss = 0.0
    /// Feedback is held at that time until the returned one.
    var feedbackHeld: (Double) -> Double = { $0 }
    var feedbackDelay = 0.0
    var feedbackInterval = 0.05
    /// The receiver's clock, in seconds more than the own one.
    var clock: (Double) -> Double = { _ in 0 }
}
