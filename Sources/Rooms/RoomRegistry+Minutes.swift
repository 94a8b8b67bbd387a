import Synchronization

extension RoomRegistry {
    /// Writes down, whenever a minute ends, how each room was in it; returns when its task is canceled. Without it rooms have no
    /// last hour.
    public func recordMinutes() async {
        while !Task.isCancelled {
            let left = 60_000 - Self.now() % 60_000
            guard (try? await Task.sleep(for: .milliseconds(left), tolerance: .milliseconds(100))) != nil else {
                return
            }
            await endMinute()
        }
    }

    /// One room after the other, so that media threads are asked little at a time.
    func endMinute() async {
        for room in state.withLock({ Array($0.rooms.values) }) where !Task.isCancelled { await room.endMinute() }
    }
}
