import Synchronization

/// Lets one task through at a time, or as many as it is wide, in the order of their coming: a session's requests are
/// carried out one after the other, whichever roads they come by.
final class Turnstile: Sendable {
    private struct State {
        var taken = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let limit: Int
    private let width: Int

    /// - Parameters:
    ///   - limit: tasks that may wait.
    ///   - width: tasks that may be through it at a time.
    init(limit: Int, width: Int = 1) {
        self.limit = limit
        self.width = width
    }

    /// Runs `work` when it is its turn.
    /// - Returns: `nil`, without having run it, where too many wait already.
    func pass<Result: Sendable>(_ work: () async -> Result) async -> Result? {
        guard await enter() else { return nil }
        defer { leave() }
        return await work()
    }

    private func enter() async -> Bool {
        // Only ever shortened to let somebody wait who would have been let through: the check is not for fairness.
        if state.withLock({ $0.taken >= width && $0.waiting.count >= limit }) { return false }
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.taken >= width else {
                    state.taken += 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
        return true
    }

    private func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.taken -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
