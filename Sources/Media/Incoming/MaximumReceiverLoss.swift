/// The loss that is reported to an Opus sender with in-band FEC: that of its worst receiver, if it is worse than the server's
/// own. The sender then protects its packets for that receiver (RFC 7587 §6.1, `useinbandfec`).
///
/// Receivers report at their own pace, so a figure counts in the report after next at most: each receiver has reported
/// again by then, or is gone.
struct MaximumReceiverLoss: Hashable, Sendable {
    private var worst: UInt8 = 0
    private var previous: UInt8 = 0

    init() {}

    /// - Parameter fraction: of 256, from a consumer's newest receiver report.
    mutating func add(_ fraction: UInt8) { worst = max(worst, fraction) }

    /// What the producer's report says. The cumulative count stays the server's own.
    func fractionLost(own: UInt8) -> UInt8 { max(own, worst, previous) }

    /// A report was made.
    mutating func reported() {
        previous = worst
        worst = 0
    }
}

// MARK: Snapshot

extension MaximumReceiverLoss: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        worst = try reader.read()
        previous = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(worst)
        writer.write(previous)
    }
}
