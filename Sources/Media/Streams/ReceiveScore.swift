/// The score of one received stream: what its report intervals say, and zero while it is silent where silence means
/// something.
///
/// Feed it every accepted media packet and every report interval; call `deadlineReached` at `nextDeadline`. `true` always
/// means that the score changed since it was last reported.
struct ReceiveScore {
    private var score = StreamScore()
    private var counters = ScoreCounters()
    /// Of one encoding among several; the silence of an only stream means nothing.
    private var inactivity: InactivityMonitor?
    private var hasPackets = false

    /// - Parameters:
    ///   - isOneOfSeveral: the producer has several encodings.
    ///   - usesDTX: silence is part of the stream for longer.
    init(isOneOfSeveral: Bool, usesDTX: Bool) {
        inactivity = isOneOfSeveral ? InactivityMonitor(usesDTX: usesDTX) : nil
    }

    /// 0…10; `nil` before the first packet, when there is nothing to judge.
    var value: UInt8? { hasPackets ? score.value : nil }

    var nextDeadline: MediaInstant? { inactivity?.nextDeadline }

    mutating func packetReceived(at now: MediaInstant) -> Bool {
        let isFirst = !hasPackets
        hasPackets = true
        guard inactivity?.packetReceived(at: now) == .becameActive else { return isFirst }
        return score.reset(to: StreamScore.best) || isFirst
    }

    mutating func deadlineReached(at now: MediaInstant) -> Bool {
        guard inactivity?.deadlineReached(at: now) == .becameInactive else { return false }
        return score.reset(to: 0)
    }

    /// A report interval ended; all counts are since the stream's beginning, as `ScoreCounters` has them.
    mutating func reported(packets: UInt64, lost: Int64, repaired: UInt64, retransmitted: UInt64) -> Bool {
        let interval = counters.interval(
            packets: packets, lost: lost, repaired: repaired, retransmitted: retransmitted)
        // A silent encoding stays at zero until it speaks again, however little is lost meanwhile.
        guard hasPackets, inactivity?.isActive ?? true else { return false }
        return score.report(interval)
    }

    mutating func paused() { inactivity?.paused() }

    mutating func resumed(at now: MediaInstant) { inactivity?.resumed(at: now) }
}

// MARK: Snapshot

extension ReceiveScore: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        score = try reader.read()
        counters = try reader.read()
        inactivity = try reader.readOptional()
        hasPackets = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(score)
        writer.write(counters)
        writer.writeOptional(inactivity)
        writer.write(hasPackets)
    }
}
