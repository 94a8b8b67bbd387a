/// One received media SSRC with its RTX companion: order, duplicates, loss, jitter, rate, reports.
///
/// Feed it every decrypted packet; a packet goes on only for `accept` and `resynchronized`.
struct ReceiveStream {
    enum Arrival: Hashable, Sendable {
        case accept(extended: UInt64)
        /// Like `accept`, but the sender restarted its numbering: reset what was derived from earlier numbers.
        case resynchronized(extended: UInt64)
        case duplicate
        /// A retransmission of a packet that left the duplicate window.
        case tooOld
        /// Not plausible yet (RFC 3550 appendix A.1), or a retransmission from before or beyond the media stream's reach.
        case discarded
    }

    /// Numbers behind the newest one whose arrival is remembered; more than `SequenceExtender.maxMisorder`.
    static let duplicateWindow = 2048
    private static let wordCount = 32

    let ssrc: SSRC
    private(set) var rtxSSRC: SSRC?
    private(set) var clockRate: UInt32

    private var media = ReceptionTracker()
    private var rtx = ReceptionTracker()
    /// One bit per number of the duplicate window, by number modulo the window.
    private var seen = InlineArray<32, UInt64>(repeating: 0)
    private var rate: RateWindow

    /// Sixteen times the jitter, in clock units.
    private var scaledJitter: UInt32 = 0
    private var lastTransit: UInt32?

    private(set) var lastPacketAt: MediaInstant?
    private var lastRTXAt: MediaInstant?
    private(set) var highestTimestamp: UInt32 = 0
    private(set) var senderReport: SenderReportInfo?
    /// From the shard's XR DLRR blocks (RFC 3611 §4.5).
    var roundTripTime: MediaDuration?

    private(set) var packetsReceived: UInt64 = 0
    private(set) var bytesReceived: UInt64 = 0
    private(set) var packetsRetransmitted: UInt64 = 0
    private(set) var packetsRepaired: UInt64 = 0
    private(set) var packetsDiscarded: UInt64 = 0
    private(set) var rtxPacketsDiscarded: UInt64 = 0
    private(set) var nackCount: UInt64 = 0
    private(set) var nackPacketCount: UInt64 = 0
    private(set) var pliCount: UInt64 = 0
    private(set) var firCount: UInt64 = 0
    private(set) var keyFrames: UInt64 = 0

    /// - Parameter rateWindow: 1 s, or 2.5 s for an encoding of a simulcast producer.
    init(ssrc: SSRC, rtxSSRC: SSRC? = nil, clockRate: UInt32, rateWindow: MediaDuration = .seconds(1)) {
        self.ssrc = ssrc
        self.rtxSSRC = rtxSSRC
        self.clockRate = max(clockRate, 1)
        rate = RateWindow(window: rateWindow)
    }

    /// The sender changed to a codec whose timestamps may have another clock (RFC 7160 §4.1): what was measured by the old one
    /// says nothing.
    mutating func codecChanged(clockRate: UInt32) {
        guard clockRate != self.clockRate else { return }
        self.clockRate = max(clockRate, 1)
        scaledJitter = 0
        lastTransit = nil
        senderReport = nil
    }

    /// The newest extended sequence number; `nil` before the first packet.
    var highestExtended: UInt64? { media.extender.hasStarted ? media.extender.highest : nil }
    /// In units of the codec's clock (RFC 3550 §6.4.1).
    var jitter: UInt32 { scaledJitter >> 4 }

    mutating func packetReceived(
        sequence: UInt16, timestamp: UInt32, payloadLength: Int, at now: MediaInstant
    ) -> Arrival {
        let previous = media.extender.highest
        let isFirst = !media.extender.hasStarted
        let arrival: Arrival
        switch media.packetReceived(sequence) {
        case .newest(let extended):
            if isFirst { forgetSeen() } else { clearSeen(after: previous, through: extended) }
            markSeen(extended)
            highestTimestamp = timestamp
            arrival = .accept(extended: extended)
        case .late(let extended):
            guard markSeen(extended) else {
                packetsDiscarded += 1
                return .duplicate
            }
            arrival = .accept(extended: extended)
        case .resynchronized(let extended):
            forgetSeen()
            markSeen(extended)
            highestTimestamp = timestamp
            lastTransit = nil
            arrival = .resynchronized(extended: extended)
        case .implausible:
            packetsDiscarded += 1
            return .discarded
        }
        updateJitter(timestamp: timestamp, at: now)
        // Padding alone fills the numbers and says nothing of the medium.
        if payloadLength > 0 { countPacket(payloadLength, at: now) }
        return arrival
    }

    /// An RTX packet (RFC 4588) arrived; it goes on as the original only for `accept`.
    ///
    /// - Parameters:
    ///   - sequence: the RTX packet's own number.
    ///   - originalSequence: the OSN field.
    ///   - payloadLength: without the OSN.
    mutating func retransmissionReceived(
        sequence: UInt16, originalSequence: UInt16, payloadLength: Int, at now: MediaInstant
    ) -> Arrival {
        lastRTXAt = now
        if case .implausible = rtx.packetReceived(sequence) {
            rtxPacketsDiscarded += 1
            return .discarded
        }
        packetsRetransmitted += 1
        // A number beyond the newest is refused: passing it would make the packets before it look late.
        guard let extended = media.extender.nearest(originalSequence), extended <= media.extender.highest else {
            rtxPacketsDiscarded += 1
            return .discarded
        }
        guard media.extender.highest - extended < UInt64(Self.duplicateWindow) else {
            rtxPacketsDiscarded += 1
            return .tooOld
        }
        guard markSeen(extended) else {
            rtxPacketsDiscarded += 1
            return .duplicate
        }
        packetsRepaired += 1
        countPacket(payloadLength, at: now)
        return .accept(extended: extended)
    }

    /// A packet of the RTX SSRC without an original in it (padding) arrived: counted for the RTX report only.
    mutating func paddingReceived(rtxSequence: UInt16, at now: MediaInstant) {
        lastRTXAt = now
        _ = rtx.packetReceived(rtxSequence)
    }

    /// Retransmissions come with this SSRC from now on, and are numbered by it.
    mutating func replaceRTX(by ssrc: SSRC?) {
        rtxSSRC = ssrc
        rtx = ReceptionTracker()
        lastRTXAt = nil
    }

    /// - Parameter takenAt: the report's NTP time by our clock; `nil`: now.
    mutating func senderReportReceived(
        ntp: UInt64, rtpTimestamp: UInt32, takenAt: MediaInstant? = nil, at now: MediaInstant
    ) {
        senderReport = SenderReportInfo(ntp: ntp, rtpTimestamp: rtpTimestamp, arrival: now, takenAt: takenAt)
    }

    /// The media stream's report block; `nil` before the first packet. Each call ends an interval.
    mutating func makeReport(at now: MediaInstant) -> ReceptionReport? {
        guard media.extender.hasStarted else { return nil }
        var report = media.makeReport()
        report.jitter = jitter
        if let senderReport {
            report.lastSenderReport = UInt32(truncatingIfNeeded: senderReport.ntp >> 16)
            let held = max((now - senderReport.arrival).nanoseconds, 0)
            report.delaySinceLastSenderReport = UInt32(clamping: held / 1_000 * 65_536 / 1_000_000)
        }
        return report
    }

    /// The RTX stream's report block; `nil` before its first packet. Its jitter is zero: retransmissions have no rhythm.
    mutating func makeRTXReport() -> ReceptionReport? {
        rtx.extender.hasStarted ? rtx.makeReport() : nil
    }

    /// Whether RTP or a sender report has come since some instant: what came before was reported already.
    func wasHeard(since instant: MediaInstant?) -> Bool {
        guard let instant else { return true }
        func isLater(_ heard: MediaInstant?) -> Bool { heard.map { $0 >= instant } ?? false }
        return isLater(lastPacketAt) || isLater(lastRTXAt) || isLater(senderReport?.arrival)
    }

    /// Whether a packet came within `timeout` (1500 ms; 5 s with DTX).
    func isActive(at now: MediaInstant, within timeout: MediaDuration = .milliseconds(1500)) -> Bool {
        guard let lastPacketAt else { return false }
        return now - lastPacketAt < timeout
    }

    /// Whether a packet of the RTX SSRC came within `timeout`.
    func isRTXActive(at now: MediaInstant, within timeout: MediaDuration) -> Bool {
        guard let lastRTXAt else { return false }
        return now - lastRTXAt < timeout
    }

    /// What a score is made of, since the stream's beginning: media packets (without those that RTX brought), what is
    /// missing of them, what RTX brought, and RTX packets.
    var scoreCounters: (packets: UInt64, lost: Int64, repaired: UInt64, retransmitted: UInt64) {
        (packetsReceived - packetsRepaired, media.packetsLost, packetsRepaired, packetsRetransmitted)
    }

    mutating func nackSent(packets: Int) {
        nackCount += 1
        nackPacketCount += UInt64(max(packets, 0))
    }
    mutating func pliSent() { pliCount += 1 }
    mutating func firSent() { firCount += 1 }
    mutating func keyFrameReceived() { keyFrames += 1 }

    mutating func bitrate(at now: MediaInstant) -> UInt64 { rate.bitrate(at: now) }

    /// A snapshot for the room; the shard adds the RID.
    mutating func statistics(at now: MediaInstant) -> ReceiveStreamStatistics {
        var result = ReceiveStreamStatistics(ssrc: ssrc)
        result.rtxSSRC = rtxSSRC
        result.packetsReceived = packetsReceived
        result.bytesReceived = bytesReceived
        result.packetsLost = media.packetsLost
        result.fractionLost = media.fractionLost
        result.packetsRetransmitted = packetsRetransmitted
        result.packetsRepaired = packetsRepaired
        result.packetsDiscarded = packetsDiscarded
        result.rtxPacketsDiscarded = rtxSSRC == nil ? nil : rtxPacketsDiscarded
        result.nackCount = nackCount
        result.nackPacketCount = nackPacketCount
        result.pliCount = pliCount
        result.firCount = firCount
        result.keyFrames = keyFrames
        result.jitter = jitter
        result.bitrate = rate.bitrate(at: now)
        result.roundTripTime = roundTripTime
        return result
    }

    private mutating func countPacket(_ payloadLength: Int, at now: MediaInstant) {
        packetsReceived += 1
        bytesReceived += UInt64(max(payloadLength, 0))
        rate.add(bytes: payloadLength, at: now)
        lastPacketAt = now
    }

    /// RFC 3550 appendix A.8, in integers.
    private mutating func updateJitter(timestamp: UInt32, at now: MediaInstant) {
        let second: UInt64 = 1_000_000_000
        let whole = (now.nanoseconds / second) &* UInt64(clockRate)
        let arrival = whole &+ (now.nanoseconds % second) * UInt64(clockRate) / second
        let transit = UInt32(truncatingIfNeeded: arrival) &- timestamp
        if let lastTransit {
            let difference = Int32(bitPattern: transit &- lastTransit).magnitude
            // A difference above a minute of a 90 kHz clock is a restarted timestamp, not jitter.
            if difference < 90_000 * 60 { scaledJitter = scaledJitter &+ difference &- ((scaledJitter &+ 8) >> 4) }
        }
        lastTransit = transit
    }

    /// - Returns: whether the number was new.
    @discardableResult
    private mutating func markSeen(_ extended: UInt64) -> Bool {
        let word = Int(extended >> 6) & (Self.wordCount - 1)
        let bit: UInt64 = 1 << (extended & 63)
        if seen[word] & bit != 0 { return false }
        seen[word] |= bit
        return true
    }

    /// Forgets the numbers whose places the skipped ones take over.
    private mutating func clearSeen(after previous: UInt64, through newest: UInt64) {
        guard newest - previous < UInt64(Self.duplicateWindow) else { return forgetSeen() }
        var number = previous + 1
        while number <= newest {
            seen[Int(number >> 6) & (Self.wordCount - 1)] &= ~(1 << (number & 63))
            number += 1
        }
    }

    private mutating func forgetSeen() { seen = InlineArray(repeating: 0) }
}

// MARK: Snapshot

extension ReceiveStream: Restorable {
    private static let snapshotVersion: UInt8 = 1

    init(restoring reader: inout SnapshotReader) throws(WireError) {
        try reader.readVersion(Self.snapshotVersion)
        ssrc = try reader.read()
        rtxSSRC = try reader.readOptional()
        clockRate = try reader.read(in: 1...UInt32.max)
        media = try reader.read()
        rtx = try reader.read()
        seen = try reader.read()
        rate = try reader.read()
        scaledJitter = try reader.read()
        lastTransit = try reader.readOptional()
        lastPacketAt = try reader.readOptional()
        lastRTXAt = try reader.readOptional()
        highestTimestamp = try reader.read()
        senderReport = try reader.readOptional()
        roundTripTime = try reader.readOptional()
        packetsReceived = try reader.readCounter()
        bytesReceived = try reader.readCounter()
        packetsRetransmitted = try reader.readCounter()
        packetsRepaired = try reader.read(in: 0...packetsReceived)
        packetsDiscarded = try reader.readCounter()
        rtxPacketsDiscarded = try reader.readCounter()
        nackCount = try reader.readCounter()
        nackPacketCount = try reader.readCounter()
        pliCount = try reader.readCounter()
        firCount = try reader.readCounter()
        keyFrames = try reader.readCounter()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(Self.snapshotVersion)
        writer.write(ssrc)
        writer.writeOptional(rtxSSRC)
        writer.write(clockRate)
        writer.write(media)
        writer.write(rtx)
        writer.write(seen)
        writer.write(rate)
        writer.write(scaledJitter)
        writer.writeOptional(lastTransit)
        writer.writeOptional(lastPacketAt)
        writer.writeOptional(lastRTXAt)
        writer.write(highestTimestamp)
        writer.writeOptional(senderReport)
        writer.writeOptional(roundTripTime)
        for counter in [
            packetsReceived, bytesReceived, packetsRetransmitted, packetsRepaired, packetsDiscarded,
            rtxPacketsDiscarded, nackCount, nackPacketCount, pliCount, firCount, keyFrames,
        ] { writer.write(counter) }
    }
}
