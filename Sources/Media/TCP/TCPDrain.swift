/// Measures what a connection carries while more waits for it. No report of its client says so as soon: over TCP everything
/// arrives, later and later.
struct TCPDrain {
    /// Long enough for a segment that was lost to be sent again.
    private static let interval = MediaDuration.milliseconds(400)

    /// Since when something waits, and how much went out since.
    private var busy: (since: MediaInstant, bytes: Int)?

    init() {}

    /// The connection took so many bytes, and so many wait still.
    /// - Returns: in bits per second what it carries; `nil` mostly.
    mutating func sent(_ bytes: Int, waiting: Int, at now: MediaInstant) -> UInt64? {
        guard waiting > 0 else {
            busy = nil
            return nil
        }
        guard let (since, before) = busy else {
            // What it took at once went to the kernel's memory.
            busy = (now, 0)
            return nil
        }
        let elapsed = now - since
        guard elapsed >= Self.interval else {
            busy = (since, before + bytes)
            return nil
        }
        busy = (now, 0)
        return UInt64(before + bytes) * 8_000_000 / UInt64(elapsed.microseconds)
    }
}
