/// Puts the reference times of transport-wide feedback, 24 bits of 64 ms, on one line that runs about as the own clock does.
///
/// A receiver's clock that jumps starts the line again at the present.
struct FeedbackTimeline {
    struct Position: Equatable {
        /// When the feedback's reference time is, in nanoseconds on the timeline.
        var reference: Int64
        /// Whether the receiver's clock jumped: older arrivals do not compare with newer ones.
        var isRestarted: Bool
    }

    /// So much may the receiver's clock and the own one differ from one feedback to the next.
    private static let tolerance: Int64 = 3_000_000_000
    /// So much may they differ in all; a clock that drifts by 500 ppm takes more than a day for it.
    private static let maximumDistance: Int64 = 60_000_000_000

    private var lastRaw: Int32?
    private var lastReference: Int64 = 0
    private var lastAt = MediaInstant(nanoseconds: 0)
    private var lastCount: UInt8 = 0
    private(set) var feedbackReceived: UInt64 = 0
    /// Feedback that never came, by its numbers.
    private(set) var feedbackLost: UInt64 = 0
    /// How often the receiver's clock jumped.
    private(set) var restarts: UInt64 = 0

    init() {}

    /// - Parameter raw: the reference time as it was parsed.
    mutating func feedbackReceived(referenceTime raw: Int32, count: UInt8, at now: MediaInstant) -> Position {
        let own = Int64(truncatingIfNeeded: now.nanoseconds)
        defer {
            lastRaw = raw
            lastAt = now
            feedbackReceived &+= 1
        }
        guard let lastRaw else {
            lastCount = count
            lastReference = own
            return Position(reference: own, isRestarted: false)
        }
        let gap = count &- lastCount
        if gap < 0x80 {
            feedbackLost &+= UInt64(gap > 0 ? gap - 1 : 0)
            lastCount = count
        }
        let step = Int64(((raw &- lastRaw) << 8) >> 8) * 64_000_000
        let reference = lastReference &+ step
        let elapsed = (now - lastAt).nanoseconds
        if (step &- elapsed).magnitude > UInt64(Self.tolerance)
            || (reference &- own).magnitude > UInt64(Self.maximumDistance)
        {
            restarts &+= 1
            lastReference = own
            return Position(reference: own, isRestarted: true)
        }
        lastReference = reference
        return Position(reference: reference, isRestarted: false)
    }
}

// MARK: Snapshot

extension FeedbackTimeline: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let isStarted: Bool = try reader.read()
        let raw = Int32(bitPattern: try reader.readUInt32())
        guard raw == (raw << 8) >> 8 else { throw .malformed }
        lastRaw = isStarted ? raw : nil
        lastReference = try reader.read()
        lastAt = try reader.read()
        lastCount = try reader.read()
        feedbackReceived = try reader.readCounter()
        feedbackLost = try reader.readCounter()
        restarts = try reader.readCounter()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(lastRaw != nil)
        writer.writeUInt32(UInt32(bitPattern: lastRaw ?? 0))
        writer.write(lastReference)
        writer.write(lastAt)
        writer.write(lastCount)
        writer.write(feedbackReceived)
        writer.write(feedbackLost)
        writer.write(restarts)
    }
}
