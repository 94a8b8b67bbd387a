public import Media
import Synchronization

/// What a program that embeds a room may want to know besides its clients' notifications.
public enum RoomObservation: Sendable, Hashable {
    /// The loudest audio producers of the last 800 ms, loudest first, at most 8.
    case volumes([AudioLevelObserver.Volume])
    /// Nobody is loud enough any more.
    case silence
    /// Another audio producer leads the conversation.
    case dominantSpeaker(ProducerID)
    /// A producer's video orientation became known or changed.
    case videoOrientationChanged(ProducerID, VideoOrientation)
    /// A packet of a producer whose trace is on.
    case producerTrace(ProducerID, TraceEvent)
    /// A packet of a consumer whose trace is on.
    case consumerTrace(ConsumerID, TraceEvent)
}

/// Those who observe a room.
final class RoomObservers: Sendable {
    /// Older events are dropped for newer ones where nobody comes for them.
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

extension Room {
    /// What happens from here on, until the room closes. The newest 1024 events wait for a reader that is slow.
    public nonisolated func observations() -> AsyncStream<RoomObservation> { observation.observations() }

    /// Says which of a producer's packets become `RoomObservation.producerTrace`: none at first, and free while none.
    /// - Throws: `RoomError` with code `producerNotFound` or `overloaded`.
    public func traceProducer(_ id: ProducerID, _ kinds: TraceKinds) throws(RoomError) {
        guard let producer = state.producers[id] else {
            throw RoomError(.producerNotFound, "producer with id \"\(id)\" not found")
        }
        do { try media.traceProducer(producer.key, kinds) } catch { throw RoomError(error) }
    }

    /// Says which of a consumer's packets become `RoomObservation.consumerTrace`: none at first, and free while none.
    /// - Throws: `RoomError` with code `consumerNotFound` or `overloaded`.
    public func traceConsumer(_ id: ConsumerID, _ kinds: TraceKinds) throws(RoomError) {
        guard let key = state.consumers[id]?.key else {
            throw RoomError(.consumerNotFound, "consumer with id \"\(id)\" not found")
        }
        do { try media.traceConsumer(key, kinds) } catch { throw RoomError(error) }
    }
}
