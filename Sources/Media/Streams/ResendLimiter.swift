/// Lets one packet be resent at most once per round trip, however often it is asked for.
///
/// A direct-mapped table of 256 numbers (1 KiB), allocated at the first NACK. A collision forgets the older number, which
/// costs at most one resend too many.
struct ResendLimiter: ~Copyable {
    private static let capacity = 256

    /// Numbers and times are kept in part: what could be mistaken for another is 2^24 numbers or 65 s away, and packets
    /// that old are kept by nobody.
    private struct Entry {
        /// Above the bits that choose the entry.
        var number: UInt16 = 0
        /// Milliseconds modulo 2^16; zero means that the entry is not used.
        var stamp: UInt16 = 0
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
        let number = UInt16(truncatingIfNeeded: extended >> 8)
        let stamp = max(UInt16(truncatingIfNeeded: now.nanoseconds / 1_000_000), 1)
        let entry = table[index]
        if entry.stamp != 0, entry.number == number {
            let passed = Int64(stamp &- entry.stamp)
            if passed < roundTripTime.milliseconds { return false }
        }
        table[index] = Entry(number: number, stamp: stamp)
        return true
    }

    /// Forgets everything and gives its memory back (the consumer was paused).
    mutating func reset() {
        entries?.deallocate()
        entries = nil
    }
}
