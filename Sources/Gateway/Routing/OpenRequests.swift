import Synchronization

/// The requests that are being answered: the event loops go on until the last of them is, since its answer is theirs.
final class OpenRequests: Sendable {
    private struct State {
        var count = 0
        var isClosed = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// - Returns: `nil`, without having done the work, after `close`.
    func counting<Answer: Sendable>(_ work: () async -> Answer) async -> Answer? {
        let isTaken = state.withLock { state in
            guard !state.isClosed else { return false }
            state.count += 1
            return true
        }
        guard isTaken else { return nil }
        let answer = await work()
        let waiters = state.withLock { state in
            state.count -= 1
            guard state.count == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
        return answer
    }

    /// Takes no more; returns when those that were taken are answered.
    func close() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                state.isClosed = true
                if state.count > 0 { state.waiters.append(continuation) }
                return state.count == 0
            }
            if isIdle { continuation.resume() }
        }
    }
}
