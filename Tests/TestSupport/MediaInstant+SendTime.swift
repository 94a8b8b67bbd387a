// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

    extension MediaInstant {
        /// As abs-send-time has it: 24 bits of 6.18 fixed-point seconds.
        var absoluteSendTime: UInt32 {
            let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
            return UInt32(truncatingIfNeeded: seconds << 18 | (rest << 18) / 1_000_000_000) & 0xFF_FFFF
        }
    }
#endif
