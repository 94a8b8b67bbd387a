/// The values of one report block about a received stream (RFC 3550 §6.4.1).
struct ReceptionReport: Hashable, Sendable {
    /// Packets lost since the previous report as a fraction of 256.
    var fractionLost: UInt8 = 0
    /// Clamped to the field's signed 24 bits; negative when duplicates outnumber losses.
    var cumulativeLost: Int32 = 0
    var extendedHighestSequence: UInt32 = 0
    /// In units of the codec's clock.
    var jitter: UInt32 = 0
    /// The middle 32 bits of the last sender report's NTP time; zero when there was none.
    var lastSenderReport: UInt32 = 0
    /// In units of 1/65536 s; zero when there was no sender report.
    var delaySinceLastSenderReport: UInt32 = 0
}

/// The values of one sender report (RFC 3550 §6.4.1).
struct SenderReportValues: Hashable, Sendable {
    var ntp: UInt64
    var rtpTimestamp: UInt32
    var packetCount: UInt32
    var octetCount: UInt32
}

/// A sender report as it was received: the pair that ties a stream's RTP clock to its sender's wall clock.
struct SenderReportInfo: Hashable, Sendable {
    var ntp: UInt64
    var rtpTimestamp: UInt32
    var arrival: MediaInstant
    /// The report's NTP time by our clock (`SenderClock`).
    var takenAt: MediaInstant

    /// - Parameter takenAt: `nil`: when it arrived.
    init(ntp: UInt64, rtpTimestamp: UInt32, arrival: MediaInstant, takenAt: MediaInstant? = nil) {
        self.ntp = ntp
        self.rtpTimestamp = rtpTimestamp
        self.arrival = arrival
        self.takenAt = takenAt ?? arrival
    }

    /// The timestamp of what the sender captures now.
    func rtpTimestamp(at now: MediaInstant, clockRate: UInt32) -> UInt32 {
        rtpTimestamp &+ (now - takenAt).units(of: clockRate)
    }

    /// The stream's RTP timestamp at the sender's wall clock time `ntp`.
    func rtpTimestamp(atNTP other: UInt64, clockRate: UInt32) -> UInt32 {
        // The difference is signed 32.32 fixed point: split, so that the product keeps its fraction.
        let difference = Int64(bitPattern: other &- ntp)
        let seconds = difference >> 32
        let fraction = difference & 0xFFFF_FFFF
        let units = seconds &* Int64(clockRate) &+ ((fraction &* Int64(clockRate)) >> 32)
        return rtpTimestamp &+ UInt32(truncatingIfNeeded: units)
    }

    /// The sender's wall clock time at its RTP timestamp `timestamp`, which lies within half a circle of the report's.
    func ntp(atRTPTimestamp timestamp: UInt32, clockRate: UInt32) -> UInt64 {
        let units = Int64(Int32(bitPattern: timestamp &- rtpTimestamp))
        return ntp &+ UInt64(bitPattern: (units &<< 32) / Int64(max(clockRate, 1)))
    }
}

/// Round trip times from the "last report" and "delay since" fields (RFC 3550 §6.4.1, RFC 3611 §4.5).
enum RoundTripTime {
    /// What a stream assumes before its first measurement.
    static let initial = MediaDuration.milliseconds(100)

    /// - Parameters:
    ///   - now: the middle 32 bits of the local NTP time at the report's arrival.
    ///   - lastReport: the peer's echo of ours; zero means that it has seen none.
    ///   - delay: how long the peer held it, in 1/65536 s.
    /// - Returns: at least 1 ms; `nil` when the peer had nothing to echo or the fields contradict each other.
    static func measured(now: UInt32, lastReport: UInt32, delay: UInt32) -> MediaDuration? {
        guard lastReport != 0 else { return nil }
        let ticks = Int32(bitPattern: now &- lastReport &- delay)
        // A slightly negative value comes from rounding on a short path; a large one is nonsense.
        guard ticks > -65536 / 4 else { return nil }
        let nanoseconds = Int64(max(ticks, 0)) * 1_000_000_000 / 65536
        return max(MediaDuration(nanoseconds: nanoseconds), .milliseconds(1))
    }
}

// MARK: Snapshot

extension SenderReportInfo: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        ntp = try reader.read()
        rtpTimestamp = try reader.read()
        arrival = try reader.read()
        // By a sender's clock it may lie anywhere, even before ours began.
        takenAt = MediaInstant(nanoseconds: try reader.read())
    }

    func write(to writer: inout SnapshotWriter) {
        writer.write(ntp)
        writer.write(rtpTimestamp)
        writer.write(arrival)
        writer.write(takenAt)
    }
}
