/// A wallclock time in NTP's 64-bit format: seconds since 1900 in 32.32 fixed point (RFC 3550 §4).
struct NTPTimestamp: Hashable, Sendable {
    var rawValue: UInt64

    init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Seconds between the NTP epoch (1900) and the Unix epoch (1970).
    static let unixEpochSeconds: UInt64 = 2_208_988_800

    /// - Parameter unixNanoseconds: time since 1970; the seconds wrap in 2036, as NTP's do.
    init(unixNanoseconds: UInt64) {
        let seconds = unixNanoseconds / 1_000_000_000 &+ Self.unixEpochSeconds
        let fraction = ((unixNanoseconds % 1_000_000_000) << 32) / 1_000_000_000
        rawValue = seconds << 32 | fraction
    }

    /// The middle 32 bits, in units of 1/65536 s: what LSR and LRR fields carry.
    var compact: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 16) }

    /// A span of time in units of 1/65536 s, as DLSR and DLRR fields carry it; negative becomes zero, too long the maximum.
    static func compactDuration(nanoseconds: Int64) -> UInt32 {
        guard nanoseconds > 0 else { return 0 }
        let seconds = UInt64(nanoseconds) / 1_000_000_000
        guard seconds < 65_536 else { return .max }
        return UInt32(truncatingIfNeeded: seconds << 16 | ((UInt64(nanoseconds) % 1_000_000_000) << 16) / 1_000_000_000)
    }

    /// The inverse of `compactDuration(nanoseconds:)`.
    static func nanoseconds(compactDuration units: UInt32) -> Int64 {
        Int64((UInt64(units) * 1_000_000_000) >> 16)
    }
}
