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

// MARK: Snapshot

extension ReportScheduler: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) { nextDeadline = try reader.read() }

    func write(to writer: inout SnapshotWriter) { writer.write(nextDeadline) }
}
