/// Remembers when transport-wide numbered packets arrived and says at an interval what the feedback has to tell
/// (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
///
/// Feed it every packet that carries the extension, then call `pollFeedback` at `nextDeadline` until it returns `nil`.
///
/// Memory: 8 bytes a number of the window, a power of two from 256 to 8192, allocated at the first packet.
@safe struct TransportWideRecorder: ~Copyable {
    /// One feedback packet's values; the statuses are in the caller's buffer.
    struct Feedback: Hashable, Sendable {
        var baseSequence: UInt16
        /// How many statuses were written: this and the following sequence numbers.
        var statusCount: Int
        /// 24 bits, in units of 64 ms.
        var referenceTime: UInt32
        /// The feedback packet's own number.
        var feedbackCount: UInt8
    }

    /// The status of a packet that has not arrived; every other status is a delta that fits 16 bits, in 250 µs.
    static let notReceived = Int32.min
    static let window = MediaDuration.milliseconds(500)
    /// Statuses that fit a feedback packet of 1200 bytes however they are mixed: 2 bytes a delta, 2 bytes for 7 symbols.
    static let maxStatuses = 512

    private static let maxCapacity = 8192
    private static let tickNanoseconds: UInt64 = 250_000
    /// 64 ms in ticks.
    private static let referenceTicks: UInt64 = 256

    // Safe: owns `capacity` initialized ticks, a power of two; subscripts are masked with it. Zero: not arrived.
    private var arrivals: UnsafeMutablePointer<UInt64>?
    private var capacity = 0
    /// Numbers remembered: `start..<end`, extended; the first packet gets cycle one.
    private var start: UInt64 = 0
    private var end: UInt64 = 0
    /// Numbers below were remembered once and are forgotten.
    private var floor: UInt64 = 0
    /// The first number of the next feedback.
    private var nextBase: UInt64 = 0
    /// Whether something arrived that no feedback has reported.
    private var hasNews = false
    private var dueAt: MediaInstant?
    private var feedbackCount: UInt8 = 0
    private(set) var duplicates: UInt64 = 0

    /// The time from one feedback to the next. Not in snapshots: whoever has chosen it chooses it again.
    private var interval = FeedbackPace.usual

    init() {}

    deinit { unsafe arrivals?.deallocate() }

    /// When feedback is due; `nil` while there is nothing to tell.
    var nextDeadline: MediaInstant? { hasNews ? dueAt : nil }

    /// The next feedback comes so long after the last one, which was now.
    mutating func setInterval(_ interval: MediaDuration, at now: MediaInstant) {
        self.interval = interval
        if !hasNews { dueAt = now + interval }
    }

    /// A recorder that was restored goes on at the pace it had.
    mutating func resume(interval: MediaDuration) { self.interval = interval }

    mutating func packetReceived(sequence: UInt16, at now: MediaInstant) {
        // One, so that a clock that starts at zero does not read as "not arrived".
        let tick = now.nanoseconds / Self.tickNanoseconds + 1
        if dueAt == nil { dueAt = now + interval }
        guard end > 0 else { return begin(at: 0x1_0000 | UInt64(sequence), tick: tick) }
        let newest = end - 1
        let distance = Int64(Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: newest)))
        let extended = UInt64(Int64(newest) + distance)
        forgetOld(before: tick)
        if extended >= end {
            // So many missing numbers are a restarted counter, not a loss worth telling.
            if extended - newest >= UInt64(Self.maxCapacity) { return begin(at: extended, tick: tick) }
            while extended - start >= UInt64(Self.maxCapacity) { forgetOldest() }
            guard reserve(from: start, to: extended + 1) else { return }
            end = extended + 1
        } else if extended < start {
            // What was forgotten cannot be reported again without calling its neighbors lost.
            guard extended >= floor, end - extended <= UInt64(Self.maxCapacity), reserve(from: extended, to: end) else {
                return
            }
            start = extended
        }
        guard let arrivals = unsafe arrivals else { return }
        let index = Int(truncatingIfNeeded: extended) & (capacity - 1)
        guard unsafe arrivals[index] == 0 else {
            duplicates += 1
            return
        }
        unsafe arrivals[index] = tick
        hasNews = true
        // A late packet is reported again with everything behind it.
        nextBase = min(nextBase, extended)
    }

    /// One feedback packet's content.
    ///
    /// - Parameter statuses: gets `statusCount` deltas or `notReceived`; its count (at most `maxStatuses`) bounds the packet.
    ///   The first delta counts from the reference time, each other one from the received packet before it.
    /// - Returns: `nil` when nothing is due, or everything has been reported.
    mutating func pollFeedback(at now: MediaInstant, into statuses: UnsafeMutableBufferPointer<Int32>) -> Feedback? {
        guard hasNews, let due = dueAt, now >= due, let arrivals = unsafe arrivals, !statuses.isEmpty else {
            return nil
        }
        forgetOld(before: now.nanoseconds / Self.tickNanoseconds + 1)
        var number = max(nextBase, start)
        let base = number
        var written = 0
        var received = 0
        var lastReceived = 0
        var reference: UInt64 = 0
        var previous: UInt64 = 0
        while number < end, written < statuses.count {
            let tick = unsafe arrivals[Int(truncatingIfNeeded: number) & (capacity - 1)]
            if tick == 0 {
                unsafe statuses[written] = Self.notReceived
            } else {
                if received == 0 {
                    reference = (tick - 1) / Self.referenceTicks
                    previous = reference * Self.referenceTicks + 1
                }
                let delta = Int64(tick) - Int64(previous)
                guard delta >= -32768, delta <= 32767 else { break }
                unsafe statuses[written] = Int32(delta)
                previous = tick
                received += 1
                lastReceived = written + 1
            }
            written += 1
            number += 1
        }
        guard received > 0 else {
            // A buffer full of losses before the next arrival: pass over them, they stay unknown to the sender.
            nextBase = number
            if number >= end { return finish(at: now) }
            return unsafe pollFeedback(at: now, into: statuses)
        }
        nextBase = base + UInt64(lastReceived)
        let feedback = Feedback(
            baseSequence: UInt16(truncatingIfNeeded: base), statusCount: lastReceived,
            referenceTime: UInt32(truncatingIfNeeded: reference) & 0xFF_FFFF, feedbackCount: feedbackCount)
        feedbackCount &+= 1
        if nextBase >= end { _ = finish(at: now) }
        return feedback
    }

    private mutating func finish(at now: MediaInstant) -> Feedback? {
        hasNews = false
        dueAt = now + interval
        return nil
    }

    private mutating func begin(at extended: UInt64, tick: UInt64) {
        while start < end { forgetOldest() }
        start = extended
        end = extended
        guard reserve(from: extended, to: extended + 1), let arrivals = unsafe arrivals else { return }
        end = extended + 1
        nextBase = extended
        unsafe arrivals[Int(truncatingIfNeeded: extended) & (capacity - 1)] = tick
        hasNews = true
    }

    /// Forgets reported packets that left the window, from the old end; at most as many as have been added.
    private mutating func forgetOld(before tick: UInt64) {
        let windowTicks = UInt64(Self.window.nanoseconds) / Self.tickNanoseconds
        guard let arrivals = unsafe arrivals, tick > windowTicks else { return }
        while start < min(end, nextBase) {
            let arrival = unsafe arrivals[Int(truncatingIfNeeded: start) & (capacity - 1)]
            guard arrival == 0 || arrival < tick - windowTicks else { return }
            forgetOldest()
        }
    }

    private mutating func forgetOldest() {
        guard let arrivals = unsafe arrivals, start < end else { return }
        unsafe arrivals[Int(truncatingIfNeeded: start) & (capacity - 1)] = 0
        start += 1
        floor = start
    }

    private mutating func reserve(from first: UInt64, to limit: UInt64) -> Bool {
        let count = limit - first
        if count <= UInt64(capacity) { return true }
        guard count <= UInt64(Self.maxCapacity) else { return false }
        var newCapacity = max(capacity, 256)
        while UInt64(newCapacity) < count { newCapacity *= 2 }
        let grown = UnsafeMutablePointer<UInt64>.allocate(capacity: newCapacity)
        unsafe grown.initialize(repeating: 0, count: newCapacity)
        if let arrivals = unsafe arrivals {
            var number = start
            while number < end {
                let low = Int(truncatingIfNeeded: number)
                unsafe grown[low & (newCapacity - 1)] = unsafe arrivals[low & (capacity - 1)]
                number += 1
            }
            unsafe arrivals.deallocate()
        }
        unsafe arrivals = grown
        capacity = newCapacity
        return true
    }
}

// MARK: Snapshot

extension TransportWideRecorder: Restorable {
    private static let snapshotVersion: UInt8 = 1

    init(restoring reader: inout SnapshotReader) throws(WireError) {
        self.init()
        try reader.readVersion(Self.snapshotVersion)
        let count = UInt64(try reader.readCount(atMost: Self.maxCapacity))
        let first = try reader.readCounter()
        guard reserve(from: first, to: first + count) else { throw .tooLarge }
        start = first
        end = first
        for number in first..<first + count {
            unsafe arrivals?[Int(truncatingIfNeeded: number) & (capacity - 1)] = try reader.readCounter()
        }
        end = first + count
        // The first number gets cycle one, and the newest never goes back.
        guard end == 0 || end > 0x1_0000 else { throw .malformed }
        floor = try reader.readCounter()
        nextBase = try reader.read(in: 0...end)
        hasNews = try reader.read()
        // News that nobody can report would be due forever.
        guard !hasNews || start < end else { throw .malformed }
        dueAt = try reader.readOptional()
        feedbackCount = try reader.read()
        duplicates = try reader.readCounter()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeUInt8(Self.snapshotVersion)
        writer.writeCount(Int(truncatingIfNeeded: end - start))
        writer.write(start)
        for number in start..<end {
            unsafe writer.write(arrivals?[Int(truncatingIfNeeded: number) & (capacity - 1)] ?? 0)
        }
        writer.write(floor)
        writer.write(nextBase)
        writer.write(hasNews)
        writer.writeOptional(dueAt)
        writer.write(feedbackCount)
        writer.write(duplicates)
    }
}
