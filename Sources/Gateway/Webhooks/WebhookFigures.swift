/// What became of the events for one receiver.
struct WebhookFigures: Sendable {
    /// Events that wait or are being sent.
    var waiting = 0
    /// Whether the last try failed.
    var isFailing = false
    /// Requests that were taken, failed, or were refused for good.
    var taken: UInt64 = 0
    var failed: UInt64 = 0
    var refused: UInt64 = 0
    /// Events that were never delivered.
    var losses: [WebhookQueue.Loss: UInt64] = [:]
}
