/// What all consumers of a simulcast producer on one shard share: which encodings there are, since when, and how their
/// clocks relate.
struct SourceEncodings: ~Copyable {
    static let capacity = 8
    /// An encoding without a packet for this long is not there; with DTX (screen sharing) its silence means less.
    static let timeout = MediaDuration.milliseconds(1500)
    static let timeoutWithDTX = MediaDuration.milliseconds(5000)
    /// How long an encoding must have been sent before it is preferred to a lower one that works.
    static let minimumActiveTime = MediaDuration.milliseconds(2000)
    /// How long an encoding's first sender report is waited for before a switch does without.
    static let reportPatience = MediaDuration.milliseconds(2000)
    /// How long a report tells the time of an encoding that is sent no more.
    static let reportLifetime = MediaDuration.seconds(10)

    /// What is known of one encoding. Trivial: shards tell each other by copying it.
    struct Encoding {
        var lastPacketAt: MediaInstant?
        var activeSince = MediaInstant(nanoseconds: 0)
        var report: SenderReportInfo?
        var score: UInt8 = 10

        /// - Returns: whether it was not there before.
        @discardableResult
        mutating func packetReceived(within timeout: MediaDuration, isOnly: Bool, at now: MediaInstant) -> Bool {
            let isBack = !isActive(within: timeout, isOnly: isOnly, at: now)
            if isBack { activeSince = now }
            lastPacketAt = now
            return isBack
        }

        func isActive(within timeout: MediaDuration, isOnly: Bool, at now: MediaInstant) -> Bool {
            guard let lastPacketAt else { return false }
            // An only encoding that falls silent leaves no choice.
            return isOnly || (score > 0 && now - lastPacketAt < timeout)
        }
    }

    let count: Int
    let timeout: MediaDuration
    private let clockRate: UInt32
    private(set) var encodings = InlineArray<8, Encoding>(repeating: Encoding())

    /// - Parameter count: 1…8; more are ignored.
    init(count: Int, clockRate: UInt32, usesDTX: Bool = false) {
        self.count = min(max(count, 1), Self.capacity)
        self.clockRate = max(clockRate, 1)
        timeout = usesDTX ? Self.timeoutWithDTX : Self.timeout
    }

    /// Once per packet and shard, before its consumers judge it.
    mutating func packetReceived(encoding: Int, at now: MediaInstant) {
        guard encoding >= 0, encoding < count else { return }
        encodings[encoding].packetReceived(within: timeout, isOnly: count == 1, at: now)
    }

    /// What the producer's shard knows of an encoding.
    mutating func advanced(encoding: Int, to state: Encoding) {
        guard encoding >= 0, encoding < count else { return }
        encodings[encoding] = state
    }

    mutating func senderReportReceived(encoding: Int, _ report: SenderReportInfo) {
        guard encoding >= 0, encoding < count else { return }
        encodings[encoding].report = report
    }

    func score(of encoding: Int) -> UInt8 { encoding >= 0 && encoding < count ? encodings[encoding].score : 0 }

    /// The encoding's stream ended or changed its SSRC.
    mutating func reset(encoding: Int) {
        guard encoding >= 0, encoding < count else { return }
        encodings[encoding] = Encoding()
    }

    func isActive(_ encoding: Int, at now: MediaInstant) -> Bool {
        encoding >= 0 && encoding < count
            && encodings[encoding].isActive(within: timeout, isOnly: count == 1, at: now)
    }

    /// Whether an encoding has been sent for long enough to be preferred to a lower one that works.
    func isProven(_ encoding: Int, at now: MediaInstant) -> Bool {
        encoding >= 0 && encoding < count && now - encodings[encoding].activeSince >= Self.minimumActiveTime
    }

    /// The encoding to send: the highest usable one up to `preferred`, else the lowest above it.
    ///
    /// - Parameters:
    ///   - reference: the encoding on whose clock the consumer's timestamps are; another has to be able to follow it.
    ///   - current: the one that is being sent.
    func target(preferred: Int, reference: Int?, current: Int?, at now: MediaInstant) -> Int? {
        var target: Int?
        for index in 0..<count {
            if index > preferred, target != nil { break }
            if canBeSent(index, reference: reference, current: current, hasLower: target != nil, at: now) {
                target = index
            }
        }
        return target
    }

    /// Whether an encoding is one to choose. What is being sent needs no further proof.
    /// - Parameter hasLower: whether a lower one can be sent.
    func canBeSent(_ encoding: Int, reference: Int?, current: Int?, hasLower: Bool, at now: MediaInstant) -> Bool {
        isActive(encoding, at: now) && canFollow(reference, encoding, at: now)
            && (!hasLower || encoding == current || isProven(encoding, at: now))
    }

    /// Where all encodings are silent, as those of a screen on which nothing moves: the one that would be sent if those that
    /// were sent last were still there.
    func silentTarget(preferred: Int) -> Int? {
        var newest = MediaInstant(nanoseconds: 0)
        for index in 0..<count { newest = max(newest, encodings[index].lastPacketAt ?? newest) }
        var target: Int?
        for index in 0..<count {
            if index > preferred, target != nil { break }
            guard let last = encodings[index].lastPacketAt, newest - last < timeout else { continue }
            target = index
        }
        return target
    }

    /// Whether timestamps may go on with an encoding's: where sender reports tie it to the reference, where there is
    /// nothing left to be tied to, and where such reports have been waited for long enough.
    private func canFollow(_ reference: Int?, _ encoding: Int, at now: MediaInstant) -> Bool {
        guard let reference, !isAligned(encoding, with: reference) else { return true }
        return !isActive(reference, at: now) || hasLongBeenUnreported(encoding, at: now)
            || hasLongBeenUnreported(reference, at: now)
    }

    private func hasLongBeenUnreported(_ encoding: Int, at now: MediaInstant) -> Bool {
        encodings[encoding].report == nil && isActive(encoding, at: now)
            && now - encodings[encoding].activeSince >= Self.reportPatience
    }

    /// An encoding's newest sender report.
    func report(of encoding: Int) -> SenderReportInfo? {
        encoding >= 0 && encoding < count ? encodings[encoding].report : nil
    }

    func hasFreshReport(_ encoding: Int, at now: MediaInstant) -> Bool {
        guard let report = report(of: encoding) else { return false }
        return now - report.arrival < Self.reportLifetime
    }

    /// Whether timestamps of an encoding can be put on the clock of another.
    func isAligned(_ encoding: Int, with reference: Int?) -> Bool {
        guard let reference, reference != encoding else { return true }
        guard reference >= 0, reference < count, encoding >= 0, encoding < count else { return false }
        return encodings[encoding].report != nil && encodings[reference].report != nil
    }

    /// A timestamp of one encoding on the clock of another; `nil` without both sender reports.
    func translate(_ timestamp: UInt32, from encoding: Int, to reference: Int) -> UInt32? {
        if encoding == reference { return timestamp }
        guard encoding >= 0, encoding < count, reference >= 0, reference < count,
            let from = encodings[encoding].report, let to = encodings[reference].report
        else { return nil }
        let ntp = from.ntp(atRTPTimestamp: timestamp, clockRate: clockRate)
        return to.rtpTimestamp(atNTP: ntp, clockRate: clockRate)
    }
}

// MARK: Snapshot

extension SourceEncodings: Restorable {
    private static let snapshotVersion: UInt8 = 1

    init(restoring reader: inout SnapshotReader) throws(WireError) {
        try reader.readVersion(Self.snapshotVersion)
        let count = try reader.readCount(atMost: Self.capacity)
        guard count > 0 else { throw .malformed }
        let clockRate = try reader.read(in: 1...UInt32.max)
        var source = SourceEncodings(count: count, clockRate: clockRate, usesDTX: try reader.read())
        for index in 0..<count { source.encodings[index] = try reader.read() }
        self = source
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(Self.snapshotVersion)
        writer.writeCount(count)
        writer.write(clockRate)
        writer.write(timeout == Self.timeoutWithDTX)
        for index in 0..<count { writer.write(encodings[index]) }
    }
}

extension SourceEncodings.Encoding: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        lastPacketAt = try reader.readOptional()
        activeSince = try reader.read()
        report = try reader.readOptional()
        score = try reader.read(in: 0...StreamScore.best)
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeOptional(lastPacketAt)
        writer.write(activeSince)
        writer.writeOptional(report)
        writer.write(score)
    }
}
