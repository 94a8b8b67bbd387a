/// How much one sender should send in all (REMB, draft-alvestrand-rmcat-remb-03): what its path to us carries, where no
/// transport-wide feedback says so, and what is allowed at most.
///
/// The path is judged by its packets' delays, which carry the time of their sending (abs-send-time): while they queue, 85 %
/// of what arrives is asked for; while they do not, 8 % more each second, up to half more than what arrives.
struct IncomingBandwidth {
    /// What a path is taken to carry before it has been measured: a sender that begins lower finds its way up.
    static let start: UInt64 = 1_000_000
    private static let least: UInt64 = 30_000
    private static let evaluationInterval = MediaDuration.milliseconds(100)
    /// How long a reduction takes to show.
    private static let settlingTime = MediaDuration.milliseconds(300)
    /// How often the same is said again, to a sender that goes by it alone, and to one that is only bounded by it.
    private static let renewal = MediaDuration.seconds(1)
    private static let boundRenewal = MediaDuration.milliseconds(1500)
    /// How often something higher is said.
    private static let raiseInterval = MediaDuration.milliseconds(200)
    /// Times of sending this far apart are another clock's: 10 s in units of 2⁻¹⁸ s.
    private static let longestJump: Int32 = 10 << 18
    /// And so is one that has gone this far astray from ours, in nanoseconds.
    private static let longestLag: Int64 = 60_000_000_000

    /// No client's network carries more: a limit above it is no news to anybody.
    static let unlimited: UInt64 = 100_000_000

    /// In bits per second; `nil`: as much as the path carries. One that was lifted is `unlimited`: a sender that heard of a
    /// limit keeps to it until it hears of another one.
    private(set) var maximum: UInt64?
    /// Whether the path is measured: its sender gets no transport-wide feedback.
    var isMeasuring: Bool
    private var detector = DelayDetector()
    private var received = RateWindow(window: .milliseconds(500))
    private(set) var estimate = IncomingBandwidth.start
    /// The newest time of sending, as it came, and on our clock, in nanoseconds.
    private var newest: UInt32?
    private var sent: Int64 = 0
    private var firstAt: MediaInstant?
    private var evaluatedAt: MediaInstant?
    private var reducedAt: MediaInstant?
    /// What was said last, and when.
    private var said: (bitrate: UInt64, at: MediaInstant)?
    /// Whether something arrived since.
    private var isHeard = false

    init(maximum: UInt64?, isMeasuring: Bool) {
        (self.maximum, self.isMeasuring) = (maximum, isMeasuring)
    }

    /// What the sender should send at most; `nil` while there is nothing to say: of packets that do not say when they were
    /// sent nothing is known.
    var bitrate: UInt64? { isMeasuring && newest != nil ? min(estimate, maximum ?? .max) : maximum }

    mutating func setMaximum(_ maximum: UInt64?) {
        self.maximum = maximum ?? (self.maximum == nil ? nil : Self.unlimited)
    }

    /// When there is something to do; `nil` while nothing arrives.
    var nextDeadline: MediaInstant? {
        guard isHeard, bitrate != nil else { return nil }
        if isMeasuring, newest != nil { return (evaluatedAt ?? firstAt).map { $0 + Self.evaluationInterval } }
        return said.map { $0.at + Self.boundRenewal } ?? firstAt
    }

    /// - Parameters:
    ///   - sendTime: 24 bits, 6.18 fixed-point seconds of the sender's clock; `nil` where the packet does not say it.
    ///   - size: of the packet, in bytes.
    mutating func packetReceived(sendTime: UInt32?, size: Int, at now: MediaInstant) {
        isHeard = true
        if firstAt == nil { firstAt = now }
        guard isMeasuring else { return }
        received.add(bytes: size, at: now)
        guard let sendTime else { return }
        defer { newest = sendTime }
        let passed = newest.map { Int32(bitPattern: (sendTime &- $0) << 8) >> 8 }
        // 10⁹ / 2¹⁸ = 5⁹ / 2⁹.
        sent &+= Int64(passed ?? 0) * 1_953_125 >> 9
        if passed.map({ abs($0) > Self.longestJump }) ?? true || abs(sent &- now.signedNanoseconds) > Self.longestLag {
            // On our clock, so that delays are small numbers.
            sent = now.signedNanoseconds
            detector = DelayDetector()
        }
        detector.packetArrived(
            PacketReport(
                size: size, sentAt: MediaInstant(nanoseconds: UInt64(max(sent, 0))), isLost: false,
                arrivedAt: now.signedNanoseconds, ownQueue: 0), at: now)
    }

    /// To be called when its time has come.
    /// - Returns: what is to be said to the sender now, if anything.
    mutating func advance(to now: MediaInstant) -> UInt64? {
        guard let deadline = nextDeadline, deadline <= now else { return nil }
        isHeard = false
        if isMeasuring, newest != nil { evaluate(at: now) }
        guard let bitrate, isDue(bitrate, at: now) else { return nil }
        said = (bitrate, now)
        return bitrate
    }

    private func isDue(_ bitrate: UInt64, at now: MediaInstant) -> Bool {
        guard let said, isMeasuring, newest != nil else { return true }
        let passed = now - said.at
        return bitrate < said.bitrate - said.bitrate / 32 || passed >= Self.renewal
            || (bitrate > said.bitrate + said.bitrate / 32 && passed >= Self.raiseInterval)
    }

    private mutating func evaluate(at now: MediaInstant) {
        let passed = evaluatedAt.map { min((now - $0).milliseconds, 1_000) } ?? 0
        evaluatedAt = now
        let rate = received.bitrate(at: now)
        detector.evaluate(
            drained: 0, of: 0, isLosing: false, isApplicationLimited: rate < estimate * 8 / 10, at: now)
        switch detector.verdict {
        case .overuse:
            if let reducedAt, now - reducedAt < Self.settlingTime { return }
            reducedAt = now
            // Before half a second of packets has come, the window says too little.
            let isKnown = firstAt.map { now - $0 >= .milliseconds(500) } ?? false
            estimate = max((isKnown ? min(estimate, rate) : estimate) * 85 / 100, Self.least)
        case .normal:
            // A sender that does not use what it may has not shown that more is carried.
            let highest = rate + rate / 2 + 10_000
            guard estimate < highest else { return }
            estimate = min(estimate + max(estimate * 8 / 100 * UInt64(max(passed, 0)) / 1_000, 100), highest)
        case .watch, .draining, .foreignQueue: break
        }
    }
}

extension MediaInstant {
    fileprivate var signedNanoseconds: Int64 { Int64(truncatingIfNeeded: nanoseconds) }
}

// MARK: Snapshot

extension IncomingBandwidth: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        maximum = try reader.readOptional()
        isMeasuring = try reader.read()
        detector = try reader.read()
        received = try reader.read()
        estimate = try reader.read(in: Self.least...UInt64(UInt32.max) << 8)
        newest = try reader.readOptional()
        sent = Int64(bitPattern: try reader.read())
        firstAt = try reader.readOptional()
        evaluatedAt = try reader.readOptional()
        reducedAt = try reader.readOptional()
        if try reader.read() as Bool { said = (try reader.read(), try reader.read()) }
        isHeard = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeOptional(maximum)
        writer.write(isMeasuring)
        writer.write(detector)
        writer.write(received)
        writer.write(estimate)
        writer.writeOptional(newest)
        writer.write(UInt64(bitPattern: sent))
        writer.writeOptional(firstAt)
        writer.writeOptional(evaluatedAt)
        writer.writeOptional(reducedAt)
        writer.write(said != nil)
        if let said {
            writer.write(said.bitrate)
            writer.write(said.at)
        }
        writer.write(isHeard)
    }
}
