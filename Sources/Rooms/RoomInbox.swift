import Synchronization

/// What media threads and connections leave for a room; one task per burst comes for it.
final class RoomInbox: Sendable {
    private struct State {
        weak var room: Room?
        var answers: [(ConsumerID, ServerRequestOutcome)] = []
        var dataAnswers: [(DataConsumerID, ServerRequestOutcome)] = []
        var isTaskScheduled = false
    }

    private let state = Mutex(State())

    func attach(_ room: Room) { state.withLock { $0.room = room } }

    /// Something waits for the room: called from any thread, does not block.
    /// - Returns: whether a task was made for it; not if one is on its way already, or the room is gone.
    @discardableResult
    func signal() -> Bool {
        let room = state.withLock { state -> Room? in
            guard !state.isTaskScheduled, let room = state.room else { return nil }
            state.isTaskScheduled = true
            return room
        }
        guard let room else { return false }
        Task { await room.drain() }
        return true
    }

    /// A client has answered an offered consumer.
    func consumerAnswered(_ id: ConsumerID, _ outcome: ServerRequestOutcome) {
        state.withLock { $0.answers.append((id, outcome)) }
        signal()
    }

    /// A client has answered an offered data consumer.
    func dataConsumerAnswered(_ id: DataConsumerID, _ outcome: ServerRequestOutcome) {
        state.withLock { $0.dataAnswers.append((id, outcome)) }
        signal()
    }

    /// Takes the waiting answers of data consumers.
    func takeDataAnswers() -> [(DataConsumerID, ServerRequestOutcome)] {
        state.withLock { state in
            defer { state.dataAnswers = [] }
            return state.dataAnswers
        }
    }

    /// Takes the waiting answers; what comes from here on schedules a task again.
    func take() -> [(ConsumerID, ServerRequestOutcome)] {
        state.withLock { state in
            state.isTaskScheduled = false
            defer { state.answers = [] }
            return state.answers
        }
    }
}
