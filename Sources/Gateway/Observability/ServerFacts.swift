import FoundationEssentials

/// What does not change while the server runs.
struct ServerFacts: Sendable {
    /// The program's version.
    var version = "unknown"
    /// Milliseconds since 1970.
    var startedAt = Int64(Date().timeIntervalSince1970 * 1000)
}
