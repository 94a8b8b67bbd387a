/// How well a stream is received, 0 (nothing) … 10, by mediasoup's formula: what was lost for good counts in the fourth
/// power, and repairs count the less, the more tries they took.
struct StreamScore {
    static let best: UInt8 = 10
    static let historyLength = 24

    private var history = InlineArray<24, UInt8>(repeating: 0)
    private var count = 0
    private var start = 0
    /// The weighted average of the last reports, the newest counting most.
    private(set) var value: UInt8

    init(value: UInt8 = StreamScore.best) { self.value = min(value, Self.best) }

    /// What one report interval saw; all counts are of that interval.
    struct Interval: Hashable, Sendable {
        /// Packets received of a received stream, sent of a sent one.
        var packets: UInt64
        var lost: UInt64
        /// Lost packets that a retransmission brought back; of a sent stream, packets that were sent again.
        var repaired: UInt64 = 0
        /// Retransmissions that came, or went out.
        var retransmitted: UInt64 = 0

        /// 0…10.
        var score: UInt8 {
            guard packets > 0 else { return lost > 0 ? 0 : StreamScore.best }
            let total = Double(packets)
            let lost = Double(min(lost, packets))
            // More repairs than losses are duplicates of what came by itself.
            let repaired = min(Double(repaired), lost)
            let inverse = 1 / (repaired / total + 1)
            var weight = inverse * inverse * inverse * inverse
            if retransmitted > 0 { weight *= min(repaired / Double(retransmitted), 1) }
            let delivered = max(0, (total - (lost - repaired * weight)) / total)
            return UInt8((delivered * delivered * delivered * delivered * 10).rounded())
        }
    }

    /// A report interval ended.
    /// - Returns: whether `value` changed.
    mutating func report(_ interval: Interval) -> Bool {
        let score = interval.packets == 0 && interval.lost == 0 ? Self.best : interval.score
        if count < Self.historyLength {
            history[(start + count) % Self.historyLength] = score
            count += 1
        } else {
            history[start] = score
            start = (start + 1) % Self.historyLength
        }
        var sum = 0
        var weights = 0
        for index in 0..<count {
            sum += (index + 1) * Int(history[(start + index) % Self.historyLength])
            weights += index + 1
        }
        // Rounded half up; both are positive.
        return set(UInt8((2 * sum + weights) / (2 * weights)))
    }

    /// Starts again from a value: 0 for a stream that fell silent, 10 for one that came back or changed its layer.
    /// - Returns: whether `value` changed.
    mutating func reset(to value: UInt8) -> Bool {
        count = 0
        start = 0
        return set(min(value, Self.best))
    }

    private mutating func set(_ new: UInt8) -> Bool {
        guard new != value else { return false }
        value = new
        return true
    }
}

// MARK: Snapshot

extension StreamScore: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        count = try reader.readCount(atMost: Self.historyLength)
        for index in 0..<count { history[index] = try reader.read(in: 0...Self.best) }
        value = try reader.read(in: 0...Self.best)
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeCount(count)
        for index in 0..<count { writer.write(history[(start + index) % Self.historyLength]) }
        writer.write(value)
    }
}
