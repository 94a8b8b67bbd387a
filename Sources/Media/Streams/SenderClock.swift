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

/// The clocks of a transport's senders: one mostly, more where the client forwards what others send.
struct SenderClocks {
    private var clocks: [String: SenderClock] = [:]

    /// - Parameter known: the CNAMEs of the transport's producers.
    mutating func reportReceived(
        ntp: UInt64, of cname: String, among known: @autoclosure () -> Set<String>, at arrival: MediaInstant
    ) -> MediaInstant {
        if clocks[cname] == nil {
            let names = known()
            clocks = clocks.filter { names.contains($0.key) }
        }
        return clocks[cname, default: SenderClock()].reportReceived(ntp: ntp, at: arrival)
    }
}

// MARK: Snapshot

extension SenderClock: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) { offset = try reader.readOptional() }

    func write(to writer: inout SnapshotWriter) { writer.writeOptional(offset) }
}

extension SenderClocks: Restorable {
    /// Signaling takes names of 255 characters.
    private static let longestName = 1020

    init(restoring reader: inout SnapshotReader) throws(WireError) {
        var previous: String?
        for _ in 0..<(try reader.readCount(atMost: 0xFFFF)) {
            let name = try reader.readText(atMost: Self.longestName)
            if let previous, previous >= name { throw .malformed }
            previous = name
            clocks[name] = try reader.read()
        }
    }

    func write(to writer: inout SnapshotWriter) {
        let names = clocks.keys.sorted().filter { $0.utf8.count <= Self.longestName }.prefix(0xFFFF)
        writer.writeCount(names.count)
        for name in names {
            writer.writeText(name)
            writer.write(clocks[name] ?? SenderClock())
        }
    }
}
