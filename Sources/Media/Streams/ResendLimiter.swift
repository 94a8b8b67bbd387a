/// Lets one packet be resent at most once per round trip, however often it is asked for, and all packets together at most
/// as often as packets were sent.
///
/// The first rule needs to remember numbers: a direct-mapped table of 256 (1 KiB), allocated at the first NACK, which
/// grows up to 4096 numbers, more than any retransmission buffer holds, when two of one round trip meet in a place.
/// The second holds for whatever a receiver says of its round trip: a NACK of a kilobyte names four thousand packets, so
/// without it a client could have a thousand times of what it sends sent back, for as long as it likes.
@safe struct ResendLimiter: ~Copyable {
    enum Answer: Hashable, Sendable {
        /// Within a round trip of the last time, or the allowance is used up.
        case refused
        case first
        /// The packet has been resent before.
        case again
    }

    /// Resends that may be saved up: a second of a large stream, lost at once.
    static let largestAllowance = 1024
    private static let initialAllowance = 512
    /// A receiver may claim any round trip; none asks again sooner.
    static let shortestRoundTrip = MediaDuration.milliseconds(10)
    private static let initialCapacity = 256
    static let largestCapacity = 4096

    /// Numbers and times are kept in part: what could be mistaken for another is 2^24 numbers or 65 s away, and packets
    /// that old are kept by nobody.
    private struct Entry {
        /// Above the lowest eight bits, which the entry's place gives.
        var number: UInt16 = 0
        /// Milliseconds modulo 2^16; zero means that the entry is not used.
        var stamp: UInt16 = 0
    }

    // Safe: owns `capacity` initialized entries, a power of two; subscripts are masked with it.
    private var entries: UnsafeMutablePointer<Entry>?
    private(set) var capacity = 0
    private var allowance = ResendLimiter.initialAllowance

    init() {}

    deinit { unsafe entries?.deallocate() }

    /// A packet was sent for the first time.
    mutating func packetSent() {
        if allowance < Self.largestAllowance { allowance += 1 }
    }

    /// Whether the packet may be resent now; a yes is remembered.
    mutating func mayResend(extended: UInt64, at now: MediaInstant, roundTripTime: MediaDuration) -> Answer {
        guard allowance > 0 else { return .refused }
        let number = UInt16(truncatingIfNeeded: extended >> 8)
        let stamp = max(UInt16(truncatingIfNeeded: now.nanoseconds / 1_000_000), 1)
        let wait = max(roundTripTime, Self.shortestRoundTrip).milliseconds
        if unsafe entries == nil { resize(to: Self.initialCapacity) }
        while true {
            guard let entries = unsafe entries else { return .refused }
            let index = Int(truncatingIfNeeded: extended) & (capacity - 1)
            let entry = unsafe entries[index]
            let isFresh = entry.stamp != 0 && Int64(stamp &- entry.stamp) < wait
            let isSame = entry.stamp != 0 && entry.number == number
            if isSame, isFresh { return .refused }
            if isFresh, capacity < Self.largestCapacity {
                resize(to: capacity * 2)
                continue
            }
            unsafe entries[index] = Entry(number: number, stamp: stamp)
            allowance -= 1
            return isSame ? .again : .first
        }
    }

    /// Forgets every number and gives their memory back (the consumer was paused).
    mutating func reset() {
        unsafe entries?.deallocate()
        unsafe entries = nil
        capacity = 0
    }

    private mutating func resize(to newCapacity: Int) {
        let table = UnsafeMutablePointer<Entry>.allocate(capacity: newCapacity)
        unsafe table.initialize(repeating: Entry(), count: newCapacity)
        if let entries = unsafe entries {
            for index in 0..<capacity where unsafe entries[index].stamp != 0 {
                let low = unsafe Int(entries[index].number) << 8 | index & 0xFF
                unsafe table[low & (newCapacity - 1)] = unsafe entries[index]
            }
            unsafe entries.deallocate()
        }
        unsafe entries = table
        capacity = newCapacity
    }
}

// MARK: Snapshot

extension ResendLimiter: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        self.init()
        allowance = try reader.readCount(atMost: Self.largestAllowance)
        let size = try reader.readCount(atMost: Self.largestCapacity)
        guard size > 0 else { return }
        guard size >= Self.initialCapacity, size & (size - 1) == 0 else { throw .malformed }
        let used = try reader.readCount(atMost: size)
        resize(to: size)
        guard let entries = unsafe entries else { return }
        var next = 0
        for _ in 0..<used {
            let number = try reader.read(in: 0...0xFF_FFFF as ClosedRange<UInt32>)
            let place = Int(number) & (size - 1)
            guard place >= next else { throw .malformed }
            next = place + 1
            unsafe entries[place] = Entry(
                number: UInt16(truncatingIfNeeded: number >> 8), stamp: try reader.read(in: 1...UInt16.max))
        }
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeCount(allowance)
        writer.writeCount(capacity)
        guard let entries = unsafe entries else { return }
        writer.writeCount((0..<capacity).count { unsafe entries[$0].stamp != 0 })
        for index in 0..<capacity where unsafe entries[index].stamp != 0 {
            unsafe writer.writeUInt32(UInt32(entries[index].number) << 8 | UInt32(index & 0xFF))
            unsafe writer.write(entries[index].stamp)
        }
    }
}
