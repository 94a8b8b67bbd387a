/// A point on the media plane's monotonic clock, in nanoseconds since an arbitrary origin.
///
/// Machines are given it as an argument; none of them reads a clock.
public struct MediaInstant: Hashable, Comparable, Sendable {
    /// Since the origin.
    public var nanoseconds: UInt64

    /// An instant.
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// Whether `a` comes first.
    public static func < (a: MediaInstant, b: MediaInstant) -> Bool { a.nanoseconds < b.nanoseconds }

    /// The instant so much later; wraps rather than traps.
    public static func + (instant: MediaInstant, duration: MediaDuration) -> MediaInstant {
        MediaInstant(
            nanoseconds: UInt64(truncatingIfNeeded: Int64(bitPattern: instant.nanoseconds) &+ duration.nanoseconds))
    }

    /// The time from `earlier` to `later`.
    public static func - (later: MediaInstant, earlier: MediaInstant) -> MediaDuration {
        MediaDuration(nanoseconds: Int64(bitPattern: later.nanoseconds &- earlier.nanoseconds))
    }
}
