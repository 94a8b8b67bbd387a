/// When a transport sends its compound RTCP packets (RFC 3550 §6.2, with mediasoup's intervals).
///
/// Where no RTP has gone either way for a while there is nothing to report, and nothing is due until it is woken.
struct ReportScheduler {
    static let firstDelay = MediaDuration.milliseconds(500)
    static let interval = MediaDuration.milliseconds(1000)
    /// Reports leave at multiples of this on the clock, so that a shard wakes up once for those of several transports.
    static let grid = MediaDuration.milliseconds(25)
    /// Without RTP for so long, reports end: bitrates have become zero by then.
    static let silence = MediaDuration.seconds(5)

    /// `nil` while it sleeps.
    private(set) var nextDeadline: MediaInstant?
    /// Bytes of RTP both ways when they last had become more, and when that was seen. Not in snapshots: a restored transport
    /// is awake for a while.
    private var bytes: UInt64 = 0
    private var heardAt: MediaInstant

    init(startingAt now: MediaInstant) {
        nextDeadline = now + Self.firstDelay
        heardAt = now
    }

    var isAsleep: Bool { nextDeadline == nil }

    /// Whether reports are due; if so, the next deadline is drawn from the grid between 1.0 and 1.5 intervals from now.
    /// - Parameter random: any value of the shard's generator, used only when reports are due.
    mutating func isDue(at now: MediaInstant, random: UInt32) -> Bool {
        guard let nextDeadline, now >= nextDeadline else { return false }
        let grid = UInt64(Self.grid.nanoseconds)
        let spread = UInt64(Self.interval.nanoseconds / 2) - grid
        let drawn = now.nanoseconds &+ UInt64(Self.interval.nanoseconds) &+ (UInt64(random) * spread) >> 32
        self.nextDeadline = MediaInstant(nanoseconds: (drawn / grid &+ 1) &* grid)
        return true
    }

    /// What was due has been sent: where RTP has stood still for long enough, it was the last.
    /// - Parameter bytes: of RTP that the transport has received and sent in all.
    mutating func reported(_ bytes: UInt64, at now: MediaInstant) {
        if bytes != self.bytes {
            self.bytes = bytes
            heardAt = now
        } else if now - heardAt >= Self.silence {
            nextDeadline = nil
        }
    }

    /// There is something to report again.
    mutating func wake(at now: MediaInstant) {
        heardAt = now
        nextDeadline = (now + Self.firstDelay).roundedUp(to: Self.grid)
    }
}

// MARK: Snapshot

extension ReportScheduler: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let deadline: MediaInstant = try reader.read()
        nextDeadline = deadline == .never ? nil : deadline
        // Long ago: silence shows with the second report.
        heardAt = MediaInstant(nanoseconds: 0)
    }

    func write(to writer: inout SnapshotWriter) { writer.write(nextDeadline ?? .never) }
}
