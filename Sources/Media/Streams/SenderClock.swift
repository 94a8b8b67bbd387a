/// How a sender's wall clock and ours relate, by the sender reports of all its streams.
///
/// One for each CNAME, which stands for one clock (RFC 3550 §6.5.1). Streams that go through the same relation keep the
/// time between them that their reports state, whatever delayed a report; so the relation is moved slowly, by less than
/// anyone sees or hears, and how exact it is counts for little.
struct SenderClock {
    /// By how much one report moves the relation: clocks drift a hundred times slower.
    static let mostStep = MediaDuration.milliseconds(1)
    /// A report further off than this means that the sender's clock was set.
    static let mostDeviation = MediaDuration.seconds(2)

    /// What our clock shows more than the sender's: nanoseconds.
    private var offset: Int64?

    /// - Returns: the report's NTP time by our clock.
    mutating func reportReceived(ntp: UInt64, at arrival: MediaInstant) -> MediaInstant {
        let taken = Int64(
            truncatingIfNeeded: (ntp >> 32) &* 1_000_000_000 &+ ((ntp & 0xFFFF_FFFF) &* 1_000_000_000) >> 32)
        let measured = Int64(bitPattern: arrival.nanoseconds) &- taken
        guard let offset else {
            self.offset = measured
            return arrival
        }
        let deviation = measured &- offset
        guard deviation.magnitude <= UInt64(Self.mostDeviation.nanoseconds) else {
            self.offset = measured
            return arrival
        }
        let moved = offset &+ min(max(deviation, -Self.mostStep.nanoseconds), Self.mostStep.nanoseconds)
        self.offset = moved
        return MediaInstant(nanoseconds: UInt64(bitPattern: taken &+ moved))
    }
}

// MARK: Snapshot

extension SenderClock: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) { offset = try reader.readOptional() }

    func write(to writer: inout SnapshotWriter) { writer.writeOptional(offset) }
}
