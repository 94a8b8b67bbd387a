// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

    /// The time of a simulation: moves only when the test says so.
    struct VirtualClock {
        /// Not zero, so that a forgotten offset shows.
        private(set) var now = MediaInstant(nanoseconds: 1_000_000_000_000)

        /// The wall clock that goes with `now`.
        var wallClock: NTPTimestamp { Self.wallClock(at: now) }

        static func wallClock(at instant: MediaInstant) -> NTPTimestamp {
            NTPTimestamp(unixNanoseconds: 1_700_000_000_000_000_000 + instant.nanoseconds)
        }

        /// Never goes back.
        mutating func advance(to instant: MediaInstant) { now = max(now, instant) }
    }
#endif
