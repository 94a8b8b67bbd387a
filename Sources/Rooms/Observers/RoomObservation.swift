public import RoundhouseMedia

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
