import Synchronization

/// The way back from shards to one room: any shard appends, one consumer drains, and the consumer is woken once per burst.
///
/// A mutex, not a lock-free queue: events are rare (state changes, statistics), never one per packet.
public final class EventQueue: Sendable {
    /// At most this many events wait; later ones are dropped and counted, and `drain` says so.
    public static let capacity = 4096

    /// From so many on, samples (audio levels, traces) are not taken: what tells a state must find its place.
    static let sampleCapacity = 1024

    private struct State {
        var events: [MediaEvent] = []
        var dropped = 0
        var isWakePending = false
    }

    private let state = Mutex(State())
    private let wake: @Sendable () -> Void

    /// - Parameter wake: called on a shard's thread when the queue gets its first event after a `drain`; it must not block.
    public init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

    /// Appends an event; called by shards.
    func append(_ event: MediaEvent) {
        let mustWake = state.withLock { state in
            if state.events.count < Self.capacity { state.events.append(event) } else { state.dropped += 1 }
            defer { state.isWakePending = true }
            return !state.isWakePending
        }
        if mustWake { wake() }
    }

    /// Appends an event that the next one like it makes up for; called by shards.
    /// - Returns: `false` when too many events wait already: it was dropped.
    func appendSample(_ event: MediaEvent) -> Bool {
        let (isTaken, mustWake) = state.withLock { state in
            guard state.events.count < Self.sampleCapacity else { return (false, false) }
            state.events.append(event)
            defer { state.isWakePending = true }
            return (true, !state.isWakePending)
        }
        if mustWake { wake() }
        return isTaken
    }

    /// Takes every waiting event, and how many were dropped since the last call.
    public func drain() -> (events: [MediaEvent], dropped: Int) {
        state.withLock { state in
            defer { state = State() }
            return (state.events, state.dropped)
        }
    }
}
