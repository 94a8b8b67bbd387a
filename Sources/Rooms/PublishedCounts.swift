import Synchronization

/// What is to be said of a room without awaiting it.
final class PublishedCounts: Sendable {
    private struct State {
        var counts = RoomCounts()
        var isLocked = false
    }

    private let state = Mutex(State())

    var value: RoomCounts { state.withLock { $0.counts } }
    var isLocked: Bool { state.withLock { $0.isLocked } }
    func publish(_ value: RoomCounts, isLocked: Bool) {
        state.withLock { $0 = State(counts: value, isLocked: isLocked) }
    }
}
