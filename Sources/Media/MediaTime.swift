/// A point on the media plane's monotonic clock, in nanoseconds since an arbitrary origin.
///
/// Machines are given it as an argument; none of them reads a clock.
public struct MediaInstant: Hashable, Comparable, Sendable {
    public var nanoseconds: UInt64

    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    public static func < (a: MediaInstant, b: MediaInstant) -> Bool { a.nanoseconds < b.nanoseconds }

    public static func + (instant: MediaInstant, duration: MediaDuration) -> MediaInstant {
        MediaInstant(
            nanoseconds: UInt64(truncatingIfNeeded: Int64(bitPattern: instant.nanoseconds) &+ duration.nanoseconds))
    }

    public static func - (later: MediaInstant, earlier: MediaInstant) -> MediaDuration {
        MediaDuration(nanoseconds: Int64(bitPattern: later.nanoseconds &- earlier.nanoseconds))
    }
}

/// A signed span of time in nanoseconds.
public struct MediaDuration: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static func microseconds(_ count: Int) -> MediaDuration { MediaDuration(nanoseconds: Int64(count) &* 1_000) }
    public static func milliseconds(_ count: Int) -> MediaDuration {
        MediaDuration(nanoseconds: Int64(count) &* 1_000_000)
    }
    public static func seconds(_ count: Int) -> MediaDuration {
        MediaDuration(nanoseconds: Int64(count) &* 1_000_000_000)
    }

    public static let zero = MediaDuration(nanoseconds: 0)

    public var microseconds: Int64 { nanoseconds / 1_000 }
    public var milliseconds: Int64 { nanoseconds / 1_000_000 }
    public var seconds: Double { Double(nanoseconds) / 1e9 }

    public static func < (a: MediaDuration, b: MediaDuration) -> Bool { a.nanoseconds < b.nanoseconds }
    public static func + (a: MediaDuration, b: MediaDuration) -> MediaDuration {
        MediaDuration(nanoseconds: a.nanoseconds &+ b.nanoseconds)
    }
    public static func - (a: MediaDuration, b: MediaDuration) -> MediaDuration {
        MediaDuration(nanoseconds: a.nanoseconds &- b.nanoseconds)
    }
    public static func * (a: MediaDuration, factor: Int) -> MediaDuration {
        MediaDuration(nanoseconds: a.nanoseconds &* Int64(factor))
    }
}
