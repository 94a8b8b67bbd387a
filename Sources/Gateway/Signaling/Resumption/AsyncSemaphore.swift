import Synchronization

/// Lets a number of tasks run at a time, in the order in which they came, and refuses those that would wait in too long a
/// queue. With a width of one, a session's requests are handled one after the other, whichever channels bring them.
final class AsyncSemaphore: Sendable {
    private struct State {
        var running = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let limit: Int
    private let width: Int

    /// - Parameters:
    ///   - limit: tasks that may wait.
    ///   - width: tasks that may run at a time.
    init(limit: Int, width: Int = 1) {
        self.limit = limit
        self.width = width
    }

    /// Runs `work` when it is its turn.
    /// - Returns: `nil`, without having run it, if too many wait already.
    func run<Result: Sendable>(_ work: () async -> Result) async -> Result? {
        guard await acquire() else { return nil }
        defer { release() }
        return await work()
    }

    private func acquire() async -> Bool {
        // Another task may take the last place between this check and the next lock: then one more waits than `limit`.
        if state.withLock({ $0.running >= width && $0.waiting.count >= limit }) { return false }
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.running >= width else {
                    state.running += 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
        return true
    }

    private func release() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.running -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
