import HTTPTypes
import RoundhouseRooms
import Synchronization

/// The event streams of `GET /api/v1/events`.
final class RoomEventFeed: Sendable {
    private struct State {
        var streams: [ObjectIdentifier: EventStream] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())
    private let log: RoomEventLog
    private let limits: GatewayLimits

    init(log: RoomEventLog, limits: GatewayLimits) {
        self.log = log
        self.limits = limits
    }

    /// How many are open.
    var count: Int { state.withLock { $0.streams.count } }

    /// Answers with a stream: first `hello`, which says where it begins, then what the client has missed, then what happens.
    /// - Parameter loan: for what waits for the client.
    func open(room: RoomID?, after lastSeen: String?, loan: MemoryLoan) -> OutgoingResponse {
        let held = HeldSubscription()
        let stream = EventStream(limit: limits.outgoingBytes, loan: loan) { [weak self] ending in
            self?.ended(held, ending)
        }
        let isTaken = state.withLock { state in
            guard !state.isClosed, state.streams.count < limits.eventStreams else { return false }
            state.streams[ObjectIdentifier(held)] = stream
            return true
        }
        guard isTaken else {
            return .failure(
                .serviceUnavailable, code: "limit-reached",
                "the server sends \(limits.eventStreams) event streams at a time: try again later")
        }
        log.subscribe(after: lastSeen, room: room) { beginning in
            held.set(beginning.subscription)
            let position = beginning.position.description
            let hello = JSONValue.object(["position": .string(position), "gap": .bool(beginning.hasGap)])
            stream.send(ServerSentEvent(id: position, name: "hello", data: hello.text))
        } deliver: { event in
            stream.send(ServerSentEvent(id: event.id.description, name: event.kind.name, data: event.json.text))
        }
        return OutgoingResponse(events: stream)
    }

    /// Ends every stream and opens no more.
    func close() {
        let streams = state.withLock { state in
            state.isClosed = true
            return Array(state.streams.values)
        }
        for stream in streams { stream.finish() }
    }

    private func ended(_ held: HeldSubscription, _ ending: EventStream.Ending) {
        state.withLock { $0.streams[ObjectIdentifier(held)] = nil }
        // Where it was too slow, the log is what found out: it forgets the subscription by itself, and holds its lock.
        if ending != .tooSlow, let subscription = held.value { log.unsubscribe(subscription) }
    }
}

/// A stream's subscription, once it has one.
private final class HeldSubscription: Sendable {
    private let state = Mutex<RoomEventLog.Subscription?>(nil)
    var value: RoomEventLog.Subscription? { state.withLock { $0 } }
    func set(_ subscription: RoomEventLog.Subscription) { state.withLock { $0 = subscription } }
}
