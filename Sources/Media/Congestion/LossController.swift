/// Measures what part of the packets is lost, and finds out if sending less would help.
///
/// Loss beside a queue is congestion. Loss without one is tried: if it stays when less is sent, it is the path's own and is
/// tolerated; if it ends, something on the path drops what exceeds a rate.
struct LossController {
    /// One observation lasts so long at least.
    private static let span = MediaDuration.milliseconds(250)
    private static let minimumPackets: UInt32 = 12
    private static let historyCount: UInt64 = 16
    private static let firstHold = MediaDuration.seconds(30)
    private static let longestHold = MediaDuration.seconds(240)
    /// In 1/65536: 2 % and 25 %.
    private static let suspicious: Int32 = 1311
    private static let severe: Int32 = 16384

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
    private(set) var kind = LossClass.none
    /// Observations in a row with more loss than is inherent.
    private var streak: UInt8 = 0
    private var severeStreak: UInt8 = 0

    /// Since when less is sent to see if that helps.
    private var trialSince: MediaInstant?
    private var trialRate: UInt64 = 0
    private var rateBeforeTrial: UInt64 = 0
    private var lossBeforeTrial: Int32 = 0
    private var trialPackets: UInt32 = 0
    private var trialLost: UInt32 = 0
    private var nextTrialAt = MediaInstant(nanoseconds: 0)

    /// What exceeds it is dropped.
    private(set) var policedRate: UInt64?
    private var policedUntil = MediaInstant(nanoseconds: 0)
    private var policedCount: UInt64 = 0
    private var hold = firstHold

    init() {}

    /// Whether a policer has been found on the path, and lately.
    var hasPoliced: Bool { hold > Self.firstHold }
    /// Whether less is sent to see if that helps.
    var isTrying: Bool { trialSince != nil }

    /// - Parameters:
    ///   - isQueueing: whether there is a sign of congestion beside the loss.
    ///   - acknowledged: what arrives, in bits per second.
    ///   - rate: what is believed to be carried.
    mutating func packetsSettled(
        _ settled: SettledPackets, isQueueing: Bool, acknowledged: UInt64, rate: UInt64, at now: MediaInstant
    ) -> LossAction {
        if policedRate != nil, now >= policedUntil { policedRate = nil }
        guard settled.packets > 0, let sentAt = settled.lastSentAt else { return .none }
        let begin = openedAt ?? sentAt
        openedAt = begin
        openPackets = min(openPackets &+ UInt32(clamping: settled.packets), 1 << 20)
        openLost = min(openLost &+ UInt32(clamping: settled.lostPackets), openPackets)
        guard sentAt - begin >= Self.span, openPackets >= Self.minimumPackets else { return .none }
        let index = Int(closedCount % Self.historyCount)
        packets[index] = openPackets
        lost[index] = openLost
        closedCount += 1
        openPackets = 0
        openLost = 0
        openedAt = sentAt
        loss = ratio(over: 4)
        return observed(
            packets: packets[index], lost: lost[index], since: begin, isQueueing: isQueueing,
            acknowledged: acknowledged, rate: rate, at: now)
    }

    private mutating func observed(
        packets: UInt32, lost: UInt32, since begin: MediaInstant, isQueueing: Bool, acknowledged: UInt64,
        rate: UInt64, at now: MediaInstant
    ) -> LossAction {
        let excess = Self.part(lost, of: packets) - inherent
        if isQueueing {
            streak = 0
            // What a queue drops says nothing of what is lost without one.
            if let since = trialSince {
                trialSince = nil
                nextTrialAt = since + .seconds(2)
            }
            if loss - inherent > Self.suspicious { kind = .congestion }
            return .none
        }
        if let since = trialSince {
            guard begin >= since else { return .none }
            trialPackets = min(trialPackets &+ packets, 1 << 24)
            trialLost = min(trialLost &+ lost, trialPackets)
            let lasted = now - since
            // Until twelve losses were to be expected, or it takes too long.
            let expected = UInt64(trialPackets) * UInt64(lossBeforeTrial) / 65536
            guard lasted > .seconds(4) || (lasted > .seconds(1) && expected >= 12) else { return .none }
            return endTrial(acknowledged: acknowledged, at: now)
        }
        let isMore = excess > Self.suspicious + inherent / 2
        streak = isMore ? min(streak + 1, 100) : 0
        severeStreak = excess > Self.severe ? min(severeStreak + 1, 100) : 0
        if streak >= 4 || severeStreak >= 2 {
            defer {
                streak = 0
                severeStreak = 0
            }
            if let action = suspect(acknowledged: acknowledged, rate: rate, at: now) { return action }
        }
        if policedRate != nil, closedCount >= policedCount + 8, ratio(over: 8) > lossBeforeTrial / 2 {
            // It goes on below the rate: the trial was chance.
            policedRate = nil
            inherent = min(ratio(over: 8), 32768)
            kind = .random
            hold = Self.firstHold
            return .restore(rateBeforeTrial)
        }
        settle()
        return .none
    }

    /// Without a sign of congestion: what is the path's own.
    private mutating func settle() {
        let recent = min(ratio(over: 8), 32768)
        if recent < inherent {
            inherent += (recent - inherent) / 8
        } else if kind == .random || recent < Self.suspicious {
            inherent += min((recent - inherent) / 16, 128)
        }
        if policedRate != nil {
            kind = .policer
            return
        }
        if loss < Self.suspicious {
            kind = .none
        } else if kind == .none || kind == .congestion {
            kind = loss - inherent < 2 * Self.suspicious ? .random : kind
        }
    }

    private mutating func suspect(acknowledged: UInt64, rate: UInt64, at now: MediaInstant) -> LossAction? {
        let isSevere = severeStreak >= 2
        if policedRate != nil {
            // Still more than passes.
            policedRate = Bitrate.scaled(acknowledged, by: 62259)
            return .limit(Bitrate.scaled(acknowledged, by: 62259), because: .policer)
        }
        guard now >= nextTrialAt else {
            return isSevere ? .limit(acknowledged, because: .lossCongestion) : nil
        }
        // Over longer than what raised the suspicion, which was chance in part.
        lossBeforeTrial = isSevere ? ratio(over: 2) : max(ratio(over: 8), ratio(over: 4) / 2)
        rateBeforeTrial = rate
        trialRate = Bitrate.scaled(min(acknowledged, rate), by: 60948)
        trialSince = now
        trialPackets = 0
        trialLost = 0
        return .limit(trialRate, because: .lossCongestion)
    }

    private mutating func endTrial(acknowledged: UInt64, at now: MediaInstant) -> LossAction {
        let during = Self.part(trialLost, of: trialPackets)
        trialSince = nil
        nextTrialAt = now + .seconds(10)
        if during - inherent < (lossBeforeTrial - inherent) / 3 {
            // Where little is sent, what arrives is no measure.
            return police(min(trialRate, max(acknowledged, trialRate / 8 * 7)), at: now)
        }
        inherent = min((during + lossBeforeTrial) / 2, 32768)
        hold = Self.firstHold
        kind = .random
        return .restore(rateBeforeTrial)
    }

    private mutating func police(_ rate: UInt64, at now: MediaInstant) -> LossAction {
        policedRate = rate
        policedUntil = now + hold
        policedCount = closedCount
        nextTrialAt = now + .seconds(1)
        kind = .policer
        hold = min(hold * 2, Self.longestHold)
        return .limit(rate, because: .policer)
    }

    private static func part(_ lost: UInt32, of packets: UInt32) -> Int32 {
        packets == 0 ? 0 : Int32(truncatingIfNeeded: UInt64(min(lost, packets)) * 65536 / UInt64(packets))
    }

    private func ratio(over count: UInt64) -> Int32 {
        var packets: UInt32 = 0
        var lost: UInt32 = 0
        for step in 1...count where step <= closedCount {
            let index = Int((closedCount - step) % Self.historyCount)
            packets &+= self.packets[index]
            lost &+= self.lost[index]
        }
        return Self.part(lost, of: packets)
    }

    /// Another path: what was lost on the old one tells nothing.
    mutating func restart() { self = LossController() }
}

// MARK: Snapshot

extension LossController: Restorable {
    private static let parts = 0...65536 as ClosedRange<UInt32>

    init(restoring reader: inout SnapshotReader) throws(WireError) {
        for index in packets.indices { packets[index] = try reader.read(in: 0...1 << 20) }
        for index in lost.indices { lost[index] = try reader.read(in: 0...packets[index]) }
        closedCount = try reader.readCounter()
        openPackets = try reader.read(in: 0...1 << 20)
        openLost = try reader.read(in: 0...openPackets)
        openedAt = try reader.readOptional()
        loss = Int32(try reader.read(in: Self.parts))
        inherent = Int32(try reader.read(in: Self.parts))
        kind = try reader.read()
        streak = try reader.read(in: 0...100)
        severeStreak = try reader.read(in: 0...100)
        trialSince = try reader.readOptional()
        trialRate = try reader.read(in: 0...Bitrate.largest)
        rateBeforeTrial = try reader.read(in: 0...Bitrate.largest)
        lossBeforeTrial = Int32(try reader.read(in: Self.parts))
        trialPackets = try reader.read(in: 0...1 << 24)
        trialLost = try reader.read(in: 0...trialPackets)
        nextTrialAt = try reader.read()
        policedRate = try reader.readOptional(in: 0...Bitrate.largest)
        policedUntil = try reader.read()
        policedCount = try reader.readCounter()
        hold = try reader.read(in: Self.firstHold...Self.longestHold)
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
        writer.write(kind)
        writer.write(streak)
        writer.write(severeStreak)
        writer.writeOptional(trialSince)
        writer.write(trialRate)
        writer.write(rateBeforeTrial)
        writer.write(UInt32(truncatingIfNeeded: lossBeforeTrial))
        writer.write(trialPackets)
        writer.write(trialLost)
        writer.write(nextTrialAt)
        writer.writeOptional(policedRate)
        writer.write(policedUntil)
        writer.write(policedCount)
        writer.write(hold)
    }
}
