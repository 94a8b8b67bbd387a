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

    /// Later than any clock of ours comes: the latest that a snapshot may hold, for what waits for no time.
    static let never = MediaInstant(nanoseconds: 1 << 62)

    /// The first multiple of a step that is not before this instant.
    /// - Parameter step: longer than nothing.
    func roundedUp(to step: MediaDuration) -> MediaInstant {
        let step = UInt64(max(step.nanoseconds, 1))
        let rest = nanoseconds % step
        return rest == 0 ? self : MediaInstant(nanoseconds: nanoseconds &+ (step &- rest))
    }

    /// The time from `earlier` to `later`.
    public static func - (later: MediaInstant, earlier: MediaInstant) -> MediaDuration {
        MediaDuration(nanoseconds: Int64(bitPattern: later.nanoseconds &- earlier.nanoseconds))
    }
}
