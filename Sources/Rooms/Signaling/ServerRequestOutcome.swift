/// What became of a `ServerRequest`.
public enum ServerRequestOutcome: Sendable, Hashable {
    case accepted
    /// The client refused, or did not answer in time.
    case rejected
    /// The connection was lost first.
    case disconnected
}
