/// Sums with bitrates that no input can overflow. All are in bits per second.
enum Bitrate {
    /// More than any path is believed to carry: a hundred gigabits per second.
    static let largest: UInt64 = 100_000_000_000

    /// - Parameter bytes: at most 2^40.
    /// - Returns: the rate of so many bytes in so much time, at most `largest`.
    static func of(bytes: UInt64, in duration: MediaDuration) -> UInt64 {
        let microseconds = UInt64(max(duration.microseconds, 1))
        return min(min(bytes, 1 << 40) * 8_000_000 / microseconds, largest)
    }

    /// The rate times a fraction in 1/65536, at most `largest`.
    static func scaled(_ rate: UInt64, by fraction: UInt64) -> UInt64 {
        let (high, low) = min(rate, largest).multipliedFullWidth(by: fraction)
        guard high < 1 << 16 else { return largest }
        return min(high << 48 | low >> 16, largest)
    }

    /// How many bytes a rate makes in a time of at most an hour.
    static func bytes(at rate: UInt64, in duration: MediaDuration) -> UInt64 {
        let microseconds = UInt64(min(max(duration.microseconds, 0), 3_600_000_000))
        let (high, low) = min(rate, largest).multipliedFullWidth(by: microseconds)
        return UInt64(8_000_000).dividingFullWidth((high, low)).quotient
    }
}
