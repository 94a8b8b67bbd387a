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
