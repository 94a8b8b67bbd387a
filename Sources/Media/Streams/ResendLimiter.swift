/// Lets one packet be resent at most once per round trip, however often it is asked for.
///
/// A direct-mapped table of 256 numbers (3 KiB), allocated at the first NACK. A collision forgets the older number, which
/// costs at most one resend too many.
struct ResendLimiter: ~Copyable {
    private static let capacity = 256

    private struct Entry {
        var low: UInt32 = 0
        /// Milliseconds modulo 2^32, with `isUsed` apart so that zero is a time.
        var milliseconds: UInt32 = 0
        var isUsed = false
    }

    // Safe: owns `capacity` initialised entries; subscripts are masked with it.
    private var entries: UnsafeMutablePointer<Entry>?

    init() {}

    deinit { entries?.deallocate() }

    /// Whether the packet may be resent now; a yes is remembered.
    mutating func mayResend(extended: UInt64, at now: MediaInstant, roundTripTime: MediaDuration) -> Bool {
        let table: UnsafeMutablePointer<Entry>
        if let entries {
            table = entries
        } else {
            table = .allocate(capacity: Self.capacity)
            table.initialize(repeating: Entry(), count: Self.capacity)
            entries = table
        }
        let index = Int(truncatingIfNeeded: extended) & (Self.capacity - 1)
        let low = UInt32(truncatingIfNeeded: extended)
        let milliseconds = UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000)
        let entry = table[index]
        if entry.isUsed, entry.low == low {
            let passed = Int64(milliseconds &- entry.milliseconds)
            if passed < roundTripTime.milliseconds { return false }
        }
        table[index] = Entry(low: low, milliseconds: milliseconds, isUsed: true)
        return true
    }

    /// Forgets everything and gives its memory back (the consumer was paused).
    mutating func reset() {
        entries?.deallocate()
        entries = nil
    }
}
