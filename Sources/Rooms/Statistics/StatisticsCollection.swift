import RoundhouseMedia

/// Counters that are on their way from the media threads.
struct StatisticsCollection {
    /// How many threads have not answered yet.
    var remaining: Int
    var gathered: [TransportKey: TransportStatistics] = [:]
    let continuation: CheckedContinuation<CollectedStatistics, Never>
    let timeout: Task<Void, Never>
}
