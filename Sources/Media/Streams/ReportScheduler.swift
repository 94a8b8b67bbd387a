/// When a transport sends its compound RTCP packets (RFC 3550 §6.2, with mediasoup's intervals).
struct ReportScheduler {
    static let firstDelay = MediaDuration.milliseconds(500)
    static let interval = MediaDuration.milliseconds(1000)
    /// Reports leave at multiples of this on the clock, so that a shard wakes up once for those of several transports.
    static let grid = MediaDuration.milliseconds(25)

    private(set) var nextDeadline: MediaInstant

    init(startingAt now: MediaInstant) { nextDeadline = now + Self.firstDelay }

    /// Whether reports are due; if so, the next deadline is drawn from the grid between 1.0 and 1.5 intervals from now.
    /// - Parameter random: any value of the shard's generator, used only when reports are due.
    mutating func isDue(at now: MediaInstant, random: UInt32) -> Bool {
        guard now >= nextDeadline else { return false }
        let grid = UInt64(Self.grid.nanoseconds)
        let spread = UInt64(Self.interval.nanoseconds / 2) - grid
        let drawn = now.nanoseconds &+ UInt64(Self.interval.nanoseconds) &+ (UInt64(random) * spread) >> 32
        nextDeadline = MediaInstant(nanoseconds: (drawn / grid &+ 1) &* grid)
        return true
    }
}

/// How often one producer or consumer may report within its transport's compounds.
struct ReportThrottle {
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

// MARK: Snapshot

extension ReportScheduler: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) { nextDeadline = try reader.read() }

    func write(to writer: inout SnapshotWriter) { writer.write(nextDeadline) }
}

extension ReportThrottle: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        interval = try reader.read()
        lastReport = try reader.readOptional()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(interval)
        writer.writeOptional(lastReport)
    }
}
