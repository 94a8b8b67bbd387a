/// When a transport sends its compound RTCP packets (RFC 3550 §6.2, with mediasoup's intervals).
struct ReportScheduler {
    static let firstDelay = MediaDuration.milliseconds(500)
    static let interval = MediaDuration.milliseconds(1000)

    private(set) var nextDeadline: MediaInstant

    init(startingAt now: MediaInstant) { nextDeadline = now + Self.firstDelay }

    /// Whether reports are due; if so, the next deadline is drawn between 1.0 and 1.5 intervals from now.
    /// - Parameter random: any value of the shard's generator, used only when reports are due.
    mutating func isDue(at now: MediaInstant, random: UInt32) -> Bool {
        guard now >= nextDeadline else { return false }
        let spread = Self.interval.nanoseconds / 2
        let extra = Int64((UInt64(random) * UInt64(spread)) >> 32)
        nextDeadline = now + Self.interval + MediaDuration(nanoseconds: extra)
        return true
    }
}

/// How often one producer or consumer may report within its transport's compounds.
struct ReportPacer {
    private let interval: MediaDuration
    private var lastReport: MediaInstant?

    init(kind: MediaKind) { interval = kind == .audio ? .milliseconds(5000) : .milliseconds(1000) }

    /// Whether this object reports now; 15 % early counts, so that the compound's jitter does not skip a turn.
    mutating func mayReport(at now: MediaInstant) -> Bool {
        if let lastReport, (now - lastReport).nanoseconds / 100 * 115 < interval.nanoseconds { return false }
        lastReport = now
        return true
    }
}
