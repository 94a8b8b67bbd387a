import Synchronization

/// A room's counts, readable without awaiting it.
final class PublishedCounts: Sendable {
    private let counts = Mutex(RoomCounts())

    var value: RoomCounts { counts.withLock { $0 } }
    func publish(_ value: RoomCounts) { counts.withLock { $0 = value } }
}
