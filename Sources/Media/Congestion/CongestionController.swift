/// Estimates what one receiver's path carries, and tries if it carries more when more is wanted.
///
/// Feed it every numbered packet that is sent, every feedback, and the demand; call `advance` at `nextDeadline`, and send
/// what `takeFiller` asks for. Afterwards `state`, `budget`, `raiseBudget` and `relief` say what may be sent.
///
/// Memory: 4 KiB of packets at first, at most 32 KiB, and 8 KiB for all else.
struct CongestionController: ~Copyable {
    /// What is believed of a path whose receiver tells nothing but receiver reports, in bits per second.
    static let largestWithoutFeedback: UInt64 = 1_000_000

    private static let rateWindow = MediaDuration.milliseconds(500)
    private static let latestWindow = MediaDuration.milliseconds(200)
    /// Between two looks at the clock while packets are sent.
    private static let pace = MediaDuration.milliseconds(50)
    private static let fillerPace = MediaDuration.milliseconds(5)
    /// What the first probes may cost, in bytes, and the most that is saved for later ones.
    private static let firstFiller: Int64 = 60_000
    private static let largestFiller: Int64 = 150_000
    /// In bytes per second: what probes may cost where next to nothing is sent.
    private static let fillerTrickle: Int64 = 300
    private static let assumedRoundTripTime = MediaDuration.milliseconds(100)

    private var history = SendHistory()
    private var timeline = FeedbackTimeline()
    private var delivery = DeliveryRate()
    private var sending = SendRate()
    private var ownQueue = OwnQueue()
    private var delay = DelayDetector()
    private var loss = LossController()
    private var estimator: BandwidthEstimator
    private var probes = ProbeController()
    private var demand = BandwidthDemand()
    private var kind = FeedbackKind.unknown
    private var startedAt: MediaInstant
    private var roundTripTime: MediaDuration?
    /// What was proven before the path seemed full.
    private var provenBeforeBackoff: UInt64?
    /// The most that was sent lately, so that nobody acknowledges more.
    private var sentPeak: UInt64 = 0
    private var acknowledged: UInt64 = 0
    private var isApplicationLimited = true
    private var lastFeedbackAt: MediaInstant?
    /// When the first packet was sent since the last feedback.
    private var unansweredSince: MediaInstant?
    private var lastSentAt: MediaInstant?
    /// Receiver reports since the last feedback.
    private var reportsSinceFeedback: UInt8 = 0
    /// What was believed before nothing was heard any more.
    private var rateBeforeSilence: UInt64?
    private var advanceAt: MediaInstant?
    private var reportedAt: MediaInstant?
    /// Bytes that probes may still cost.
    private var fillerBalance = firstFiller
    private var fillerAt = MediaInstant(nanoseconds: 0)
    /// The first seconds: what a train shows counts at once.
    private var isStarting = true
    /// Not in snapshots: it only ends waiting.
    private var hasPassedProbe = false

    init(_ limits: BitrateLimits, at now: MediaInstant) {
        estimator = BandwidthEstimator(limits, at: now)
        startedAt = now
        ownQueue.setRate(estimator.rate)
    }

    // MARK: What is known

    var state: BandwidthState {
        BandwidthState(
            estimate: estimator.estimate, cause: estimator.reason, acknowledged: acknowledged,
            proven: delivery.proven, ceiling: estimator.ceiling, queue: MediaDuration(nanoseconds: delay.queue),
            loss: loss.loss, inherentLoss: loss.inherent, roundTripTime: roundTripTime, verdict: delay.verdict,
            lossClass: loss.kind, isApplicationLimited: isApplicationLimited)
    }

    /// Whether the receiver says what arrives.
    var hasFeedback: Bool { kind == .transportWide || kind == .estimate }

    /// What may be spent on what is sent already, in bits per second: the estimate without what has to be sent again.
    var budget: UInt64 { withoutResends(estimator.estimate) }

    /// What may be spent if something new is to be sent: less, for it has to last.
    var raiseBudget: UInt64 {
        let lasting = Bitrate.scaled(estimator.leastRecent, by: 62259)
        let proven = max(delivery.proven, isStarting ? estimator.limits.start : 0)
        guard kind == .transportWide else { return withoutResends(lasting) }
        return withoutResends(min(lasting, proven + proven / 5))
    }

    private func withoutResends(_ rate: UInt64) -> UInt64 {
        rate - Bitrate.scaled(rate, by: UInt64(min(max(loss.inherent, 0), 32768)))
    }

    var relief: Relief {
        if let silence { return silence }
        if delay.queue > max(200_000_000, 2 * delay.threshold) { return .pause }
        if loss.kind == .congestion, loss.loss - loss.inherent > 6554 { return .pause }
        switch delay.verdict {
        case .overuse, .draining: return demand.allocated > budget ? .temporal : .none
        default: return .none
        }
    }

    /// What hearing nothing asks for.
    private var silence: Relief? {
        guard kind == .transportWide, let silentFor else { return nil }
        if silentFor > .seconds(5) { return .audioOnly }
        if silentFor > .seconds(2) { return .pause }
        return silentFor > .seconds(1) ? .temporal : nil
    }

    private var silentFor: MediaDuration? {
        guard let unansweredSince, let lastSentAt else { return nil }
        // Where nothing is sent, nothing is to be heard.
        return max(lastSentAt, min(advancedTo, lastSentAt + .milliseconds(500))) - unansweredSince
    }

    private var advancedTo = MediaInstant(nanoseconds: 0)

    /// What a probe is at, and the rate it tries.
    var probePhase: ProbePhase { probes.phase }
    var probeGoal: UInt64 { probes.goal }

    /// Whether every packet sent is received, lost, forgotten or in flight.
    var isBalanced: Bool { history.packetsInFlight <= history.packetsSent }

    // MARK: Sending

    /// - Parameter size: bytes on the wire, with those of IP and UDP.
    mutating func packetSent(number: UInt16, size: Int, kind: SentKind, at now: MediaInstant) {
        let wait = ownQueue.packetSent(size: size, at: now)
        history.packetSent(number: number, size: size, ownQueue: wait, at: now)
        sending.packetSent(bytes: size, at: now)
        lastSentAt = now
        if unansweredSince == nil { unansweredSince = now }
        if advanceAt == nil { advanceAt = now + Self.pace }
        // So small a part of what is sent for its own sake may be filler.
        fillerBalance &+= kind == .padding ? -Int64(UInt16(clamping: size)) : Int64(UInt16(clamping: size)) / 16
        if probes.isRunning { probes.packetSent(size: size) }
    }

    /// Whether a probe has passed since the last call.
    mutating func takeProbePassed() -> Bool {
        defer { hasPassedProbe = false }
        return hasPassedProbe
    }

    /// Bytes of filler that are to be sent now for a running probe; zero mostly.
    mutating func takeFiller(at now: MediaInstant) -> Int { probes.takeFiller(at: now) }

    // MARK: Feedback

    mutating func feedbackReceived(_ feedback: TransportWideFeedback, at now: MediaInstant) {
        let position = timeline.feedbackReceived(
            referenceTime: feedback.referenceTime, count: feedback.feedbackCount, at: now)
        if position.isRestarted {
            delay.restart()
            delivery.restart()
            probes.abandon(at: now)
        }
        var newestSentAt: MediaInstant?
        var newestArrival = Int64.min
        var leastDelay = Int64.max
        for packet in feedback.packets {
            let arrival = packet.arrival.map { position.reference &+ Int64($0) &* 250_000 }
            guard
                let report = history.reported(packet.sequenceNumber.rawValue, arrivedAt: arrival, at: now)
            else { continue }
            probes.packetReported(report)
            guard !report.isLost else { continue }
            delivery.packetArrived(report)
            delay.packetArrived(report, at: now)
            newestSentAt = newestSentAt.map { max($0, report.sentAt) } ?? report.sentAt
            newestArrival = max(newestArrival, report.arrivedAt)
            leastDelay = min(leastDelay, report.delay)
        }
        let settled = history.feedbackEnded(at: now)
        guard let newestSentAt else { return }
        kind = .transportWide
        lastFeedbackAt = now
        unansweredSince = nil
        reportsSinceFeedback = 0
        // Without the time that the receiver held it.
        let sample = (Int64(truncatingIfNeeded: now.nanoseconds) &- newestArrival) &+ leastDelay
        if (0...10_000_000_000).contains(sample) { measured(MediaDuration(nanoseconds: sample)) }
        observe(settled, newestSentAt: newestSentAt, at: now)
    }

    private mutating func measured(_ sample: MediaDuration) {
        guard let old = roundTripTime else { return roundTripTime = sample }
        roundTripTime = MediaDuration(nanoseconds: old.nanoseconds + (sample.nanoseconds - old.nanoseconds) / 4)
    }

    private mutating func observe(_ settled: SettledPackets, newestSentAt: MediaInstant, at now: MediaInstant) {
        let sent = sending.rate(at: now)
        sentPeak = max(sent, sentPeak - sentPeak / 64)
        let credible = sentPeak + sentPeak / 4
        acknowledged = min(delivery.rate(over: Self.rateWindow) ?? acknowledged, credible)
        let latest = min(delivery.rate(over: Self.latestWindow) ?? acknowledged, credible)
        isApplicationLimited = sent * 5 < estimator.estimate * 4
        let wasQueueing = delay.residual > delay.threshold || delay.queue > delay.threshold + 20_000_000
        let lossAction = loss.packetsSettled(
            settled, isQueueing: wasQueueing, acknowledged: min(acknowledged, latest + latest / 8),
            rate: estimator.rate, at: now)
        let rtt = roundTripTime ?? Self.assumedRoundTripTime
        let sentBytes = sending.total - min(history.bytesInFlight, sending.total)
        delay.evaluate(
            drained: estimator.expectedDrain(sentBytes: sentBytes, newestSentAt: newestSentAt),
            of: estimator.queueAtBackoff, isLosing: loss.loss - loss.inherent > 2_000,
            isApplicationLimited: isApplicationLimited, at: now)
        let isQueueing = delay.residual > delay.threshold
        restoreAfterSilence(isQueueing: isQueueing, at: now)

        let seen = BandwidthObservation(
            verdict: delay.verdict, queue: delay.queue, isQueueing: isQueueing,
            isDrained: delay.queue < delay.threshold, acknowledged: acknowledged, latest: latest,
            proven: delivery.proven, provenBefore: max(provenBeforeBackoff ?? 0, delivery.proven),
            isApplicationLimited: isApplicationLimited, loss: loss.loss, inherentLoss: loss.inherent,
            roundTripTime: rtt, newestSentAt: newestSentAt, sentBytes: sentBytes, lossAction: lossAction,
            policedRate: loss.policedRate, isTrying: loss.isTrying)
        judgeProbe(newestSentAt: newestSentAt, rtt: rtt, at: now)
        let provenBefore = delivery.proven
        if estimator.update(seen, at: now) {
            if provenBeforeBackoff == nil { provenBeforeBackoff = provenBefore }
            delay.backedOff(at: now)
            delivery.disprove(above: min(latest, estimator.ceiling ?? latest))
            probes.postpone(until: now + .seconds(1))
        } else if delay.verdict == .normal || delay.verdict == .foreignQueue, !isQueueing {
            if estimator.isRestoredWhole, let before = provenBeforeBackoff { delivery.prove(before, at: now) }
            provenBeforeBackoff = nil
            delivery.prove(acknowledged, at: now)
        }
        if isStarting, now - startedAt > .seconds(5) { isStarting = false }
        // Faster than what is believed: a path that is always busy explains no wait, only bursts do.
        ownQueue.setRate(max(estimator.estimate + estimator.estimate / 4, 100_000))
        startProbe(rtt: rtt, at: now)
    }

    private mutating func restoreAfterSilence(isQueueing: Bool, at now: MediaInstant) {
        guard let before = rateBeforeSilence, delay.verdict == .normal, !isQueueing else { return }
        rateBeforeSilence = nil
        let restored = Bitrate.scaled(before, by: 52429)
        estimator.set(max(restored, estimator.rate), because: .restored)
    }

    // MARK: Probes

    private mutating func judgeProbe(newestSentAt: MediaInstant, rtt: MediaDuration, at now: MediaInstant) {
        let phase = probes.phase
        guard phase != .idle else { return }
        let result = probes.judge(
            newestSentAt: newestSentAt, noise: delay.noise, inherentLoss: loss.inherent,
            isCongested: delay.verdict == .overuse || delay.verdict == .draining, at: now)
        switch result {
        case nil: break
        case .failed(let measured):
            let isFull = delay.verdict == .overuse || delay.verdict == .draining
            estimator.probeFailed(measured: isFull ? nil : measured)
        case .passed(let rate, let isClear):
            if phase == .trainSent, !isStarting || !isClear {
                probes.hold(for: .milliseconds(300) + min(rtt, .milliseconds(500)), at: now)
            } else {
                probes.pass(at: now)
                delivery.prove(rate, at: now)
                estimator.probePassed(rate)
                hasPassedProbe = true
            }
        }
    }

    private mutating func startProbe(rtt: MediaDuration, at now: MediaInstant) {
        let elapsed = min(max((now - fillerAt).milliseconds, 0), 1_000)
        fillerAt = now
        fillerBalance = min(fillerBalance &+ elapsed * Self.fillerTrickle / 1_000, Self.largestFiller)
        // At first much has to be found out at once.
        if isStarting { fillerBalance = max(fillerBalance, Self.firstFiller) }
        guard fillerBalance > 0 else { return }
        guard demand.nextStep > raiseBudget, delay.verdict == .normal, loss.kind != .congestion, !loss.isTrying else {
            return
        }
        let cap = min(estimator.limits.maximum ?? Bitrate.largest, loss.policedRate ?? Bitrate.largest)
        let needed = lasting(demand.nextStep)
        // A policer lets a train pass, and drops what follows.
        let most = loss.hasPoliced ? estimator.rate + estimator.rate / 4 : estimator.rate * 2
        // At first many steps may be ahead, and a probe for each would take long. Not before one has passed, and in smaller
        // steps: a narrow path is not to be filled for what it cannot carry.
        let isWhole = isStarting && probes.probesPassed > 0 && !probes.hasFailed
        let ahead = isWhole ? min(lasting(demand.wanted), estimator.rate * 3 / 2) : 0
        let goal = min(min(max(needed, ahead), most), cap)
        // What is believed anyway needs time, not a probe; and what is policed is known.
        guard goal >= needed || goal * 50 > estimator.rate * 51 else { return }
        guard goal > estimator.rate || delivery.proven + delivery.proven / 5 < needed else { return }
        guard goal * 20 > max(acknowledged, demand.allocated) * 21, probes.mayStart(for: goal, at: now) else { return }
        probes.start(for: goal, at: now)
        advanceAt = now + Self.fillerPace
    }

    /// So much that a wish fits what may be spent on it, with what has to be sent again.
    private func lasting(_ wish: UInt64) -> UInt64 {
        let wish = min(wish, Bitrate.largest)
        let kept = 65536 - UInt64(min(max(loss.inherent, 0), 32768))
        return min(wish + wish / 10, Bitrate.largest) * 65536 / kept
    }

    // MARK: Time

    var nextDeadline: MediaInstant? { advanceAt }

    mutating func advance(to now: MediaInstant) {
        advancedTo = max(advancedTo, now)
        _ = probes.advance(to: now)
        watchSilence(at: now)
        estimator.remember(at: now)
        if probes.isRunning {
            advanceAt = now + Self.fillerPace
        } else if probes.phase != .idle || lastSentAt.map({ now - $0 < .seconds(2) }) ?? false {
            advanceAt = now + Self.pace
        } else {
            advanceAt = nil
        }
    }

    private mutating func watchSilence(at now: MediaInstant) {
        guard kind == .transportWide, let silentFor else { return }
        let rtt = min(roundTripTime ?? Self.assumedRoundTripTime, .seconds(1))
        guard silentFor > max(.milliseconds(400), rtt * 2 + .milliseconds(100)) else { return }
        if probes.phase != .idle { probes.abandon(at: now) }
        // Reports come, but no feedback: the receiver has stopped to give it, the path is well.
        if reportsSinceFeedback >= 2 {
            kind = .reports
            return
        }
        if silentFor > .seconds(1), rateBeforeSilence == nil {
            rateBeforeSilence = estimator.rate
            estimator.set(estimator.rate, because: .feedbackSilence)
        }
    }

    // MARK: Other feedback

    /// The receiver's own estimate (REMB), in bits per second.
    mutating func estimateReceived(_ bitrate: UInt64, at now: MediaInstant) {
        // Zero lifts the cap: nobody receives nothing and says so.
        estimator.setRemoteCap(bitrate == 0 ? nil : min(bitrate, Bitrate.largest))
        guard kind != .transportWide, bitrate > 0 else { return }
        kind = .estimate
        estimator.set(min(bitrate, Bitrate.largest), because: .remb)
        estimator.remember(at: now)
    }

    /// - Parameter fractionLost: in 1/256, of what the receiver reports say.
    mutating func reportReceived(fractionLost: UInt8, roundTripTime: MediaDuration?, at now: MediaInstant) {
        reportsSinceFeedback = min(reportsSinceFeedback + 1, 100)
        guard kind != .transportWide else { return }
        if let roundTripTime { measured(roundTripTime) }
        guard kind != .estimate else { return }
        // A receiver with feedback gives it long before.
        guard now - startedAt > .seconds(2) else { return }
        kind = .reports
        let elapsed = reportedAt.map { min(max(now - $0, .zero), .seconds(2)) } ?? .seconds(1)
        guard elapsed > .milliseconds(200) else { return }
        reportedAt = now
        let rate = estimator.rate
        if fractionLost > 25 {
            estimator.set(Bitrate.scaled(rate, by: 65536 - UInt64(fractionLost) * 128), because: .lossCongestion)
        } else if fractionLost < 5, rate < Self.largestWithoutFeedback {
            let added = Bitrate.scaled(rate, by: 5243 * UInt64(elapsed.milliseconds) / 1000)
            estimator.set(min(rate + added, Self.largestWithoutFeedback), because: .rampUp)
        }
        if estimator.rate > Self.largestWithoutFeedback {
            estimator.set(Self.largestWithoutFeedback, because: .rampUp)
        }
    }

    /// What the path takes while more waits at this end, as of TCP, in bits per second: this is the end of the queue that a
    /// receiver's reports would show later.
    mutating func drained(_ bitrate: UInt64, at now: MediaInstant) {
        let rate = min(bitrate, Bitrate.largest)
        guard rate < estimator.rate else { return }
        probes.postpone(until: now + .seconds(1))
        estimator.drained(rate, at: now)
        delivery.disprove(above: estimator.rate)
    }

    // MARK: Commands

    mutating func setLimits(_ limits: BitrateLimits, at now: MediaInstant) {
        estimator.setLimits(limits)
        estimator.remember(at: now)
    }

    mutating func setDemand(_ demand: BandwidthDemand, at now: MediaInstant) {
        self.demand = demand
        if kind == .transportWide { startProbe(rtt: roundTripTime ?? Self.assumedRoundTripTime, at: now) }
    }

    /// The receiver is reached by another path.
    mutating func pathChanged(at now: MediaInstant) {
        delay.restart()
        loss.restart()
        probes.restart(at: now)
        delivery.disprove(above: estimator.rate / 2)
        estimator.restart(at: now)
        roundTripTime = nil
        isStarting = true
    }
}

// MARK: Snapshot

extension CongestionController: Restorable {
    private static let snapshotVersion: UInt8 = 1

    init(restoring reader: inout SnapshotReader) throws(WireError) {
        // What cannot be copied is whole before reading can fail.
        self.init(BitrateLimits(), at: MediaInstant(nanoseconds: 0))
        try reader.readVersion(Self.snapshotVersion)
        history = try reader.read()
        timeline = try reader.read()
        delivery = try reader.read()
        sending = try reader.read()
        ownQueue = try reader.read()
        delay = try reader.read()
        loss = try reader.read()
        estimator = try reader.read()
        probes = try reader.read()
        demand = try reader.read()
        kind = try reader.read()
        startedAt = try reader.read()
        roundTripTime = try reader.readOptional(in: .zero...MediaDuration.seconds(10))
        provenBeforeBackoff = try reader.readOptional(in: 0...Bitrate.largest)
        sentPeak = try reader.read(in: 0...Bitrate.largest)
        acknowledged = try reader.read(in: 0...Bitrate.largest)
        isApplicationLimited = try reader.read()
        lastFeedbackAt = try reader.readOptional()
        unansweredSince = try reader.readOptional()
        lastSentAt = try reader.readOptional()
        reportsSinceFeedback = try reader.read(in: 0...100)
        rateBeforeSilence = try reader.readOptional(in: 0...Bitrate.largest)
        advanceAt = try reader.readOptional()
        reportedAt = try reader.readOptional()
        fillerBalance = try reader.read(in: -1 << 40...Self.largestFiller)
        fillerAt = try reader.read()
        isStarting = try reader.read()
        advancedTo = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(Self.snapshotVersion)
        writer.write(history)
        writer.write(timeline)
        writer.write(delivery)
        writer.write(sending)
        writer.write(ownQueue)
        writer.write(delay)
        writer.write(loss)
        writer.write(estimator)
        writer.write(probes)
        writer.write(demand)
        writer.write(kind)
        writer.write(startedAt)
        writer.writeOptional(roundTripTime)
        writer.writeOptional(provenBeforeBackoff)
        writer.write(sentPeak)
        writer.write(acknowledged)
        writer.write(isApplicationLimited)
        writer.writeOptional(lastFeedbackAt)
        writer.writeOptional(unansweredSince)
        writer.writeOptional(lastSentAt)
        writer.write(reportsSinceFeedback)
        writer.writeOptional(rateBeforeSilence)
        writer.writeOptional(advanceAt)
        writer.writeOptional(reportedAt)
        writer.write(min(max(fillerBalance, -1 << 40), Self.largestFiller))
        writer.write(fillerAt)
        writer.write(isStarting)
        writer.write(advancedTo)
    }
}
