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
