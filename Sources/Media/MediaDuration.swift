/// A signed span of time in nanoseconds.
public struct MediaDuration: Hashable, Comparable, Sendable {
    /// The whole span.
    public var nanoseconds: Int64

    /// A duration.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// So many microseconds.
    public static func microseconds(_ count: Int) -> MediaDuration { MediaDuration(nanoseconds: Int64(count) &* 1_000) }
    /// So many milliseconds.
    public static func milliseconds(_ count: Int) -> MediaDuration {
        MediaDuration(nanoseconds: Int64(count) &* 1_000_000)
    }
    /// So many seconds.
    public static func seconds(_ count: Int) -> MediaDuration {
        MediaDuration(nanoseconds: Int64(count) &* 1_000_000_000)
    }

    /// No time.
    public static let zero = MediaDuration(nanoseconds: 0)

    /// Whole microseconds, rounded towards zero.
    public var microseconds: Int64 { nanoseconds / 1_000 }
    /// Whole milliseconds, rounded towards zero.
    public var milliseconds: Int64 { nanoseconds / 1_000_000 }
    /// Seconds.
    public var seconds: Double { Double(nanoseconds) / 1e9 }

    /// How far an RTP clock runs in this time.
    func units(of clockRate: UInt32) -> UInt32 {
        let second: Int64 = 1_000_000_000
        let whole = (nanoseconds / second) &* Int64(clockRate)
        return UInt32(truncatingIfNeeded: whole &+ (nanoseconds % second) * Int64(clockRate) / second)
    }

    /// Whether `a` comes first.
    public static func < (a: MediaDuration, b: MediaDuration) -> Bool { a.nanoseconds < b.nanoseconds }
    /// The sum; wraps rather than traps.
    public static func + (a: MediaDuration, b: MediaDuration) -> MediaDuration {
        MediaDuration(nanoseconds: a.nanoseconds &+ b.nanoseconds)
    }
    /// The difference; wraps rather than traps.
    public static func - (a: MediaDuration, b: MediaDuration) -> MediaDuration {
        MediaDuration(nanoseconds: a.nanoseconds &- b.nanoseconds)
    }
    /// The multiple; wraps rather than traps.
    public static func * (a: MediaDuration, factor: Int) -> MediaDuration {
        MediaDuration(nanoseconds: a.nanoseconds &* Int64(factor))
    }
}

/// The earlier of two deadlines, either of which may be missing.
func earliest(_ a: MediaInstant?, _ b: MediaInstant?) -> MediaInstant? {
    guard let a else { return b }
    guard let b else { return a }
    return min(a, b)
}
