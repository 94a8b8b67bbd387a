/// One consumer's sent SSRC with its RTX companion: counters, sender reports, what receiver reports say, resend limits.
///
/// Outgoing numbers are 64-bit (roll-over counter above the 16 bits on the wire), as the sealer needs them.
struct SendStream: ~Copyable {
    /// After so long without a packet nothing is reported: timestamps of what was never sent would be claimed.
    static let reportedSilence = MediaDuration.seconds(2)
    /// How long a sender's report is good for: by a clock that drifts by 100 ppm it is 6 ms off then.
    static let reportLifetime = MediaDuration.seconds(60)
    /// What is sent cannot be older or newer than this by its sender's reports.
    static let mostDeviation = MediaDuration.seconds(10)

    let ssrc: SSRC
    let rtxSSRC: SSRC?
    let clockRate: UInt32

    private var rate = RateWindow()
    private var limiter = ResendLimiter()
    private var rtxIndex: UInt64

    /// The newest number sent; `nil` before the first packet.
    private(set) var highestExtended: UInt64?
    /// The newest timestamp sent, and when.
    private(set) var highestTimestamp: UInt32 = 0
    private(set) var highestTimestampAt: MediaInstant?
    private(set) var roundTripTime: MediaDuration?
    private(set) var fractionLost: UInt8 = 0
    private(set) var packetsLost: Int64 = 0
    /// The receiver's, in units of the codec's clock.
    private(set) var jitter: UInt32 = 0

    /// Original packets and their payload octets, as in the sender report.
    private(set) var packetsSent: UInt64 = 0
    private(set) var bytesSent: UInt64 = 0
    private(set) var packetsRetransmitted: UInt64 = 0
    /// Packets that were sent again at least once.
    private(set) var packetsRepaired: UInt64 = 0
    private(set) var bytesRetransmitted: UInt64 = 0
    private(set) var nackCount: UInt64 = 0
    private(set) var nackPacketCount: UInt64 = 0
    private(set) var pliCount: UInt64 = 0
    private(set) var firCount: UInt64 = 0
    private var scoring = StreamScore()
    private var scoreCounters = ScoreCounters()

    /// - Parameter firstRTXSequence: random; the most significant bit is ignored, so that a loss of the first packets
    ///   cannot hide a roll-over from the receiver's SRTP.
    init(ssrc: SSRC, rtxSSRC: SSRC?, clockRate: UInt32, firstRTXSequence: UInt16) {
        self.ssrc = ssrc
        self.rtxSSRC = rtxSSRC
        self.clockRate = max(clockRate, 1)
        rtxIndex = UInt64(firstRTXSequence & 0x7FFF)
    }

    /// A media packet was sent.
    /// - Parameters:
    ///   - extended: the outgoing number, from `SequenceRewriter`.
    ///   - payloadLength: without header and padding.
    mutating func packetSent(extended: UInt64, timestamp: UInt32, payloadLength: Int, at now: MediaInstant) {
        packetsSent += 1
        limiter.packetSent()
        bytesSent += UInt64(max(payloadLength, 0))
        rate.add(bytes: payloadLength, at: now)
        if highestExtended.map({ extended > $0 }) ?? true { highestExtended = extended }
        let isNewer = Int32(bitPattern: timestamp &- highestTimestamp) > 0
        // One that has been the newest for so long is of a clock that is no more.
        if isNewer || highestTimestampAt.map({ now - $0 >= Self.reportedSilence }) ?? true {
            highestTimestamp = timestamp
            highestTimestampAt = now
        }
    }

    /// The 64-bit number of a wire number near the newest sent one: what a NACK means.
    /// - Returns: `nil` when nothing was sent, or the number lies ahead of the newest.
    func extended(ofRequested sequence: UInt16) -> UInt64? {
        guard let highestExtended else { return nil }
        let behind = UInt64(UInt16(truncatingIfNeeded: highestExtended) &- sequence)
        guard behind < 0x8000, behind <= highestExtended else { return nil }
        return highestExtended - behind
    }

    /// Whether a NACKed packet may be resent: once per round trip (100 ms while unknown), and in all not more packets than
    /// were sent. A yes is remembered.
    mutating func mayResend(extended: UInt64, at now: MediaInstant) -> Bool {
        switch limiter.mayResend(extended: extended, at: now, roundTripTime: roundTripTime ?? RoundTripTime.initial) {
        case .refused: return false
        case .first: packetsRepaired += 1
        case .again: break
        }
        return true
    }

    /// The 64-bit number of the next RTX packet.
    mutating func nextRTXIndex() -> UInt64 {
        defer { rtxIndex += 1 }
        return rtxIndex
    }

    mutating func packetRetransmitted(payloadLength: Int, at now: MediaInstant) {
        packetsRetransmitted += 1
        bytesRetransmitted += UInt64(max(payloadLength, 0))
        rate.add(bytes: payloadLength, at: now)
    }

    mutating func nackReceived(packets: Int) {
        nackCount += 1
        nackPacketCount += UInt64(max(packets, 0))
    }
    mutating func pliReceived() { pliCount += 1 }
    mutating func firReceived() { firCount += 1 }

    /// How well the receiver gets the stream, 0…10.
    var score: UInt8 { scoring.value }

    /// A report block about this SSRC arrived.
    /// - Parameter compactNTP: the middle 32 bits of the local NTP time now.
    /// - Returns: whether the score changed.
    @discardableResult
    mutating func receiverReportReceived(_ report: ReceptionReport, compactNTP: UInt32) -> Bool {
        fractionLost = report.fractionLost
        packetsLost = Int64(report.cumulativeLost)
        jitter = report.jitter
        if let measured = RoundTripTime.measured(
            now: compactNTP, lastReport: report.lastSenderReport, delay: report.delaySinceLastSenderReport)
        {
            roundTripTime = measured
        }
        return scoring.report(
            scoreCounters.interval(
                packets: packetsSent, lost: packetsLost, repaired: packetsRepaired,
                retransmitted: packetsRetransmitted))
    }

    /// Another encoding is sent from now on: how well the last one was received says nothing of it.
    /// - Returns: whether the score changed.
    mutating func encodingSwitched() -> Bool { scoring.reset(to: StreamScore.best) }

    /// The values of a sender report for this moment; `nil` before the first packet, and in silence.
    ///
    /// The timestamp is that of what is captured now (RFC 3550 §6.4.1), by the sender's own report: what it sends may have
    /// lain in an encoder or a queue for longer than its other streams. Without one it is that of what would arrive now.
    /// - Parameters:
    ///   - ntp: the local NTP time at `now`.
    ///   - source: the newest report on what is being sent, and what its timestamps become by adding `offset`.
    func makeSenderReport(
        at now: MediaInstant, ntp: UInt64, by source: SenderReportInfo? = nil, offset: UInt32 = 0
    ) -> SenderReportValues? {
        guard let highestTimestampAt, now - highestTimestampAt < Self.reportedSilence else { return nil }
        var timestamp = highestTimestamp &+ max(now - highestTimestampAt, .zero).units(of: clockRate)
        if let source, now - source.arrival < Self.reportLifetime {
            let captured = source.rtpTimestamp(at: now, clockRate: clockRate) &+ offset
            let deviation = Int32(bitPattern: captured &- timestamp)
            if deviation.magnitude <= Self.mostDeviation.units(of: clockRate) { timestamp = captured }
        }
        return SenderReportValues(
            ntp: ntp, rtpTimestamp: timestamp, packetCount: UInt32(truncatingIfNeeded: packetsSent),
            octetCount: UInt32(truncatingIfNeeded: bytesSent))
    }

    /// The consumer was paused: nothing of before is resent after.
    mutating func paused() { limiter.reset() }

    mutating func bitrate(at now: MediaInstant) -> UInt64 { rate.bitrate(at: now) }

    /// A snapshot for the room.
    mutating func statistics(key: ConsumerKey, at now: MediaInstant) -> ConsumerStatistics {
        var result = ConsumerStatistics(key: key, ssrc: ssrc)
        result.packetsSent = packetsSent
        result.bytesSent = bytesSent
        result.packetsLost = packetsLost
        result.fractionLost = fractionLost
        result.packetsRetransmitted = packetsRetransmitted
        result.packetsRepaired = packetsRepaired
        result.jitter = jitter
        result.score = score
        result.nackCount = nackCount
        result.nackPacketCount = nackPacketCount
        result.pliCount = pliCount
        result.firCount = firCount
        result.bitrate = rate.bitrate(at: now)
        result.roundTripTime = roundTripTime
        return result
    }
}

// MARK: Snapshot

extension SendStream: Restorable {
    private static let snapshotVersion: UInt8 = 1

    init(restoring reader: inout SnapshotReader) throws(WireError) {
        // What cannot be copied is whole before reading can fail.
        self.init(ssrc: SSRC(0), rtxSSRC: nil, clockRate: 1, firstRTXSequence: 0)
        try reader.readVersion(Self.snapshotVersion)
        self = SendStream(
            ssrc: try reader.read(), rtxSSRC: try reader.readOptional(),
            clockRate: try reader.read(in: 1...UInt32.max), firstRTXSequence: 0)
        rtxIndex = try reader.readCounter()
        rate = try reader.read()
        limiter = try reader.read()
        highestExtended = try reader.readOptionalCounter()
        highestTimestamp = try reader.read()
        highestTimestampAt = try reader.readOptional()
        roundTripTime = try reader.readOptional()
        fractionLost = try reader.read()
        packetsLost = try reader.read()
        jitter = try reader.read()
        packetsSent = try reader.readCounter()
        bytesSent = try reader.readCounter()
        packetsRetransmitted = try reader.readCounter()
        packetsRepaired = try reader.readCounter()
        bytesRetransmitted = try reader.readCounter()
        nackCount = try reader.readCounter()
        nackPacketCount = try reader.readCounter()
        pliCount = try reader.readCounter()
        firCount = try reader.readCounter()
        scoring = try reader.read()
        scoreCounters = try reader.read()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(Self.snapshotVersion)
        writer.write(ssrc)
        writer.writeOptional(rtxSSRC)
        writer.write(clockRate)
        writer.write(rtxIndex)
        writer.write(rate)
        writer.write(limiter)
        writer.writeOptional(highestExtended)
        writer.write(highestTimestamp)
        writer.writeOptional(highestTimestampAt)
        writer.writeOptional(roundTripTime)
        writer.write(fractionLost)
        writer.write(packetsLost)
        writer.write(jitter)
        for counter in [
            packetsSent, bytesSent, packetsRetransmitted, packetsRepaired, bytesRetransmitted, nackCount,
            nackPacketCount, pliCount, firCount,
        ] { writer.write(counter) }
        writer.write(scoring)
        writer.write(scoreCounters)
    }
}
