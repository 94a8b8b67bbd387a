import RoundhouseMedia

/// What arrived of the counters asked for.
struct CollectedStatistics {
    var transports: [TransportKey: TransportStatistics]
    var isComplete: Bool
}
