public import RoundhouseMedia

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
