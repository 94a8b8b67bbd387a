import Synchronization

/// Those who observe a room.
final class RoomObservers: Sendable {
    /// Older events are dropped for newer ones if nobody reads them.
    static let capacity = 1024

    private struct State {
        var continuations: [UInt64: AsyncStream<RoomObservation>.Continuation] = [:]
        var serial: UInt64 = 0
        var isFinished = false
    }

    private let state = Mutex(State())

    func observations() -> AsyncStream<RoomObservation> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: RoomObservation.self, bufferingPolicy: .bufferingNewest(Self.capacity))
        let serial = state.withLock { state -> UInt64? in
            guard !state.isFinished else { return nil }
            state.serial += 1
            state.continuations[state.serial] = continuation
            return state.serial
        }
        guard let serial else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.continuations.removeValue(forKey: serial) }
        }
        return stream
    }

    func report(_ event: RoomObservation) {
        let continuations = state.withLock { Array($0.continuations.values) }
        for continuation in continuations { continuation.yield(event) }
    }

    /// The room is closed.
    func finish() {
        let continuations = state.withLock { state in
            state.isFinished = true
            defer { state.continuations = [:] }
            return Array(state.continuations.values)
        }
        // Outside of the lock: what ends a stream takes it too.
        for continuation in continuations { continuation.finish() }
    }
}
