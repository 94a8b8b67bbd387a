/// Measures what part of the packets is lost, and what part of that is lost however much is sent.
struct LossController {
    /// One observation lasts so long at least.
    private static let span = MediaDuration.milliseconds(250)
    private static let minimumPackets = 10
    private static let historyCount: UInt64 = 16

    private var packets = InlineArray<16, UInt32>(repeating: 0)
    private var lost = InlineArray<16, UInt32>(repeating: 0)
    private var closedCount: UInt64 = 0
    private var openPackets: UInt32 = 0
    private var openLost: UInt32 = 0
    private var openedAt: MediaInstant?
    /// In 1/65536, over the last second.
    private(set) var loss: Int32 = 0
    /// In 1/65536: what is lost however much is sent.
    private(set) var inherent: Int32 = 0

    init() {}

    /// - Parameter isQueueing: whether there is a sign of congestion beside the loss.
    /// - Returns: whether an observation has ended.
    mutating func packetsSettled(_ settled: SettledPackets, isQueueing: Bool) -> Bool {
        guard settled.packets > 0, let sentAt = settled.lastSentAt else { return false }
        let begin = openedAt ?? sentAt
        openedAt = begin
        openPackets = min(openPackets &+ UInt32(clamping: settled.packets), 1 << 20)
        openLost = min(openLost &+ UInt32(clamping: settled.lostPackets), openPackets)
        guard sentAt - begin >= Self.span, openPackets >= UInt32(Self.minimumPackets) else { return false }
        let index = Int(closedCount % Self.historyCount)
        packets[index] = openPackets
        lost[index] = openLost
        closedCount += 1
        openPackets = 0
        openLost = 0
        openedAt = sentAt
        loss = ratio(over: 4)
        if !isQueueing {
            // Slow to believe in more, for what is lost by sending too much ends when less is sent.
            let recent = min(ratio(over: 8), 65536 / 3)
            inherent += (recent - inherent) / (recent > inherent ? 8 : 4)
        }
        return true
    }

    private func ratio(over count: UInt64) -> Int32 {
        var packets: UInt64 = 0
        var lost: UInt64 = 0
        for step in 1...min(count, max(closedCount, 1)) where step <= closedCount {
            let index = Int((closedCount - step) % Self.historyCount)
            packets += UInt64(self.packets[index])
            lost += UInt64(self.lost[index])
        }
        return packets == 0 ? 0 : Int32(truncatingIfNeeded: lost * 65536 / packets)
    }

    /// Another path: what was lost on the old one tells nothing.
    mutating func restart() { self = LossController() }
}

// MARK: Snapshot

extension LossController: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        for index in packets.indices { packets[index] = try reader.read(in: 0...1 << 20) }
        for index in lost.indices { lost[index] = try reader.read(in: 0...packets[index]) }
        closedCount = try reader.readCounter()
        openPackets = try reader.read(in: 0...1 << 20)
        openLost = try reader.read(in: 0...openPackets)
        openedAt = try reader.readOptional()
        loss = Int32(try reader.read(in: 0...65536 as ClosedRange<UInt32>))
        inherent = Int32(try reader.read(in: 0...65536 as ClosedRange<UInt32>))
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(packets)
        writer.write(lost)
        writer.write(closedCount)
        writer.write(openPackets)
        writer.write(openLost)
        writer.writeOptional(openedAt)
        writer.write(UInt32(truncatingIfNeeded: loss))
        writer.write(UInt32(truncatingIfNeeded: inherent))
    }
}
