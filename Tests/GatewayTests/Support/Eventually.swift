import Testing

struct NeverHappened: Error {}

/// Waits for something that another thread brings about; fails after two minutes, which
/// a starved machine may need and a quiet one never does.
func eventually(_ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(120)
    // A thousand tests share two threads: a task that was given few turns in this time has not waited.
    var turns = 0
    while !(try await condition()) {
        turns += 1
        guard turns < 1000 || ContinuousClock.now < deadline else { throw NeverHappened() }
        try await Task.sleep(for: .milliseconds(5))
    }
}
