import Testing

struct NeverHappened: Error {}

/// Waits for something that another thread brings about; fails after two minutes, which
/// a starved machine may need and a quiet one never does.
func eventually(_ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(120)
    while !(try await condition()) {
        guard ContinuousClock.now < deadline else { throw NeverHappened() }
        try await Task.sleep(for: .milliseconds(5))
    }
}
