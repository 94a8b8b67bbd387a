/// Takes the differences of running counters for `StreamScore`, report by report.
struct ScoreCounters: Hashable, Sendable {
    private var packets: UInt64 = 0
    private var lost: Int64 = 0
    private var repaired: UInt64 = 0
    private var retransmitted: UInt64 = 0

    /// - Parameters:
    ///   - packets: received or sent since the beginning, like all the others.
    ///   - lost: may go down again when late packets come.
    mutating func interval(
        packets: UInt64, lost: Int64, repaired: UInt64, retransmitted: UInt64
    ) -> StreamScore.Interval {
        defer {
            self.packets = packets
            self.lost = lost
            self.repaired = repaired
            self.retransmitted = retransmitted
        }
        return StreamScore.Interval(
            packets: packets >= self.packets ? packets - self.packets : packets,
            lost: UInt64(clamping: lost.subtractingReportingOverflow(self.lost).partialValue),
            repaired: repaired >= self.repaired ? repaired - self.repaired : 0,
            retransmitted: retransmitted >= self.retransmitted ? retransmitted - self.retransmitted : 0)
    }
}

extension ScoreCounters: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        packets = try reader.readCounter()
        lost = try reader.read()
        repaired = try reader.readCounter()
        retransmitted = try reader.readCounter()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(packets)
        writer.write(lost)
        writer.write(repaired)
        writer.write(retransmitted)
    }
}
