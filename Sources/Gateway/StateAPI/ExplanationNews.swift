import RoundhouseMedia
import RoundhouseRooms

/// What of an explanation a stream's client has not been sent yet.
struct ExplanationNews {
    private var lastSamples: [TransportID: MediaInstant] = [:]
    private var lastChanges: [TransportID: MediaInstant] = [:]
    private var lastReasons: [ConsumerID: String] = [:]

    /// The events that bring a client up to date: of a first explanation itself alone.
    mutating func events(of explanation: PeerExplanation) -> [ServerSentEvent] {
        var whole = explanation
        for index in whole.transports.indices {
            whole.transports[index].history = []
            whole.transports[index].changes = []
        }
        var events: [ServerSentEvent] = []
        var reasons: [ConsumerID: String] = [:]
        var isChanged = false
        let isFirst = lastSamples.isEmpty && lastReasons.isEmpty
        for transport in explanation.transports {
            for consumer in transport.consumers { reasons[consumer.id] = consumer.reason }
            if let change = transport.changes.last?.change.at, change != lastChanges[transport.id] {
                lastChanges[transport.id] = change
                isChanged = true
            }
            guard let sample = transport.history.last, sample.sample.at != lastSamples[transport.id] else { continue }
            lastSamples[transport.id] = sample.sample.at
            guard !isFirst else { continue }
            var latest = transport
            latest.history = [sample]
            latest.changes = []
            latest.consumers = []
            events.append(ServerSentEvent(name: "sample", data: latest.json.text))
        }
        if reasons != lastReasons || isChanged || isFirst {
            events.append(ServerSentEvent(name: "explanation", data: whole.json.text))
        }
        lastReasons = reasons
        return events
    }
}
