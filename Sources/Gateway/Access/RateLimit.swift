/// A rate, and ten seconds' worth of it at once.
struct RateLimit: Sendable, Hashable {
    /// At least 1.
    let perSecond: Int
    var burst: Int { perSecond.multipliedReportingOverflow(by: 10).partialValue }

    init(perSecond: Int) { self.perSecond = min(max(perSecond, 1), 1_000_000_000) }
}
