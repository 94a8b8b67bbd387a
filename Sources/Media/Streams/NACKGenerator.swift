/// Decides which missing packets are worth asking for again, and when (RFC 4585 §6.2.1).
///
/// Feed it every accepted packet; after each and at `nextDeadline`, call `pollRequest` until it returns zero.
/// Then nothing is due before the next input or that deadline.
///
/// Memory: nothing before the first loss; then a sorted list of at most 1000 (capacity 2048 with its holes) entries.
@safe struct NACKGenerator: ~Copyable {
    enum Action: Hashable, Sendable {
        case none
        /// Too much is missing to be repaired: the list was cleared.
        case requestKeyFrame
    }

    static let maxAge: UInt64 = 10_000
    static let maxEntries = 1000
    static let initialDelay = MediaDuration.milliseconds(10)
    static let tick = MediaDuration.milliseconds(40)
    static let maxTries: UInt8 = 10

    private struct Entry {
        var sequence: UInt64
        /// When to ask (again).
        var due: MediaInstant
        var tries: UInt8
        /// A hole: the packet came or was given up.
        var isGone: Bool
    }

    /// Entries in rising order of sequence, `first..<end`; holes stay until the list is compacted.
    // Safe: `entries` owns `capacity` entries, of which `first..<end` are initialized; every access checks that range.
    private var entries: UnsafeMutablePointer<Entry>?
    private var capacity = 0
    private var first = 0
    private var end = 0
    /// Entries that are not holes.
    private(set) var count = 0

    private var highest: UInt64?
    private var keyFrames = RecentSequences()
    private var recovered = RecentSequences()
    /// No later than the earliest `due` of the list.
    private var earliestDue: MediaInstant?
    private var notBefore: MediaInstant?

    /// Time between two requests for the same packet.
    var roundTripTime = RoundTripTime.initial
    /// Packets given up after the last try.
    private(set) var abandoned: UInt64 = 0

    init() {}

    deinit { unsafe entries?.deallocate() }

    /// The timer's deadline: when the next request is due, but requests by timer keep `tick` apart.
    var nextDeadline: MediaInstant? {
        guard count > 0, let earliestDue else { return nil }
        return notBefore.map { max($0, earliestDue) } ?? earliestDue
    }

    /// - Parameters:
    ///   - extended: from `ReceiveStream`.
    ///   - isKeyFrame: whether a key frame starts in the packet.
    ///   - isRecovered: whether it came by RTX.
    mutating func packetReceived(
        extended: UInt64, isKeyFrame: Bool, isRecovered: Bool, at now: MediaInstant
    ) -> Action {
        guard let highest else {
            self.highest = extended
            if isKeyFrame { keyFrames.insert(extended) }
            return .none
        }
        guard extended > highest else {
            if extended < highest { remove(extended) }
            return .none
        }
        if isRecovered {
            // Newer than all media: remember that it need not be asked for, but let media set the pace.
            recovered.insert(extended)
            return .none
        }
        if isKeyFrame { keyFrames.insert(extended) }
        self.highest = extended
        return addMissing(from: highest + 1, to: extended, at: now)
    }

    /// Writes the sequence numbers to ask for now, in rising order.
    ///
    /// - Returns: how many were written; zero when nothing is due.
    mutating func pollRequest(at now: MediaInstant, into numbers: UnsafeMutableBufferPointer<UInt16>) -> Int {
        guard count > 0, let due = earliestDue, now >= due, let entries = unsafe entries, !numbers.isEmpty else {
            return 0
        }
        var written = 0
        var earliest: MediaInstant?
        for index in first..<end where unsafe !entries[index].isGone {
            if unsafe now >= entries[index].due, written < numbers.count {
                unsafe numbers[written] = UInt16(truncatingIfNeeded: entries[index].sequence)
                written += 1
                unsafe entries[index].tries += 1
                unsafe entries[index].due = now + roundTripTime
                if unsafe entries[index].tries >= Self.maxTries {
                    unsafe entries[index].isGone = true
                    count -= 1
                    abandoned += 1
                    continue
                }
            }
            if earliest.map({ unsafe entries[index].due < $0 }) ?? true { earliest = unsafe entries[index].due }
        }
        earliestDue = earliest
        if written > 0 { notBefore = now + Self.tick }
        trim()
        return written
    }

    /// Forgets everything (the producer was paused, the stream restarted).
    mutating func reset() {
        clear()
        highest = nil
        keyFrames = RecentSequences()
        recovered = RecentSequences()
        notBefore = nil
    }

    private mutating func addMissing(from start: UInt64, to end: UInt64, at now: MediaInstant) -> Action {
        if end > Self.maxAge { removeBelow(end - Self.maxAge) }
        guard start < end else { return .none }
        let missing = end - start
        if UInt64(count) + missing > UInt64(Self.maxEntries) {
            while UInt64(count) + missing > UInt64(Self.maxEntries), removeUpToNextKeyFrame() {}
            guard UInt64(count) + missing <= UInt64(Self.maxEntries) else {
                clear()
                return .requestKeyFrame
            }
        }
        ensureCapacity(for: Int(missing))
        let due = now + Self.initialDelay
        for sequence in start..<end where !recovered.contains(sequence) {
            append(Entry(sequence: sequence, due: due, tries: 0, isGone: false))
        }
        return .none
    }

    private mutating func append(_ entry: Entry) {
        guard let entries = unsafe entries, end < capacity else { return }
        unsafe (entries + end).initialize(to: entry)
        end += 1
        count += 1
        if earliestDue.map({ entry.due < $0 }) ?? true { earliestDue = entry.due }
    }

    private mutating func remove(_ sequence: UInt64) {
        guard let entries = unsafe entries else { return }
        var low = first
        var high = end
        while low < high {
            let middle = low + (high - low) / 2
            if unsafe entries[middle].sequence < sequence { low = middle + 1 } else { high = middle }
        }
        guard low < end, unsafe entries[low].sequence == sequence, unsafe !entries[low].isGone else { return }
        unsafe entries[low].isGone = true
        count -= 1
        trim()
    }

    private mutating func removeBelow(_ sequence: UInt64) {
        guard let entries = unsafe entries else { return }
        while first < end, unsafe entries[first].sequence < sequence {
            if unsafe !entries[first].isGone { count -= 1 }
            first += 1
        }
        trim()
    }

    /// Gives up what a decoder no longer needs: everything before the oldest key frame that is ahead of the list.
    /// - Returns: whether entries were removed.
    private mutating func removeUpToNextKeyFrame() -> Bool {
        guard count > 0, let entries = unsafe entries else { return false }
        while let keyFrame = keyFrames.oldest {
            if first < end, unsafe entries[first].sequence < keyFrame {
                removeBelow(keyFrame)
                return true
            }
            keyFrames.removeOldest()
        }
        return false
    }

    private mutating func clear() {
        first = 0
        end = 0
        count = 0
        earliestDue = nil
    }

    /// Drops holes at the front, so that the first entry is always a live one.
    private mutating func trim() {
        guard count > 0, let entries = unsafe entries else { return clear() }
        while first < end, unsafe entries[first].isGone { first += 1 }
    }

    /// Makes place behind `end` for `added` entries: compacts the holes, then doubles the storage.
    private mutating func ensureCapacity(for added: Int) {
        if end + added <= capacity { return }
        let needed = count + added
        var newCapacity = max(capacity, 64)
        // At least half stays free after a compaction, so that compactions are rare.
        while newCapacity < needed * 2, newCapacity < 2048 { newCapacity *= 2 }
        let target = unsafe newCapacity == capacity ? entries : .allocate(capacity: newCapacity)
        guard let target = unsafe target else { return }
        var kept = 0
        if let entries = unsafe entries {
            for index in first..<end where unsafe !entries[index].isGone {
                // Moving down within one storage never overtakes the entry being read.
                unsafe (target + kept).initialize(to: entries[index])
                kept += 1
            }
            if unsafe target != entries { unsafe entries.deallocate() }
        }
        unsafe entries = target
        capacity = newCapacity
        first = 0
        end = kept
    }
}

/// The last sixteen numbers of a kind, oldest first.
private struct RecentSequences {
    private static let capacity = 16
    private var numbers = InlineArray<16, UInt64>(repeating: 0)
    private var start = 0
    private var count = 0

    var oldest: UInt64? { count > 0 ? numbers[start] : nil }

    mutating func insert(_ number: UInt64) {
        if count == Self.capacity { removeOldest() }
        numbers[(start + count) % Self.capacity] = number
        count += 1
    }

    mutating func removeOldest() {
        guard count > 0 else { return }
        start = (start + 1) % Self.capacity
        count -= 1
    }

    func contains(_ number: UInt64) -> Bool {
        for index in 0..<count where numbers[(start + index) % Self.capacity] == number { return true }
        return false
    }
}

// MARK: Snapshot

extension NACKGenerator: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        self.init()
        let missing = try reader.readCount(atMost: Self.maxEntries)
        if missing > 0 { ensureCapacity(for: missing) }
        var next: UInt64 = 0
        for _ in 0..<missing {
            let sequence = try reader.readCounter()
            guard sequence >= next else { throw .malformed }
            next = sequence + 1
            let due: MediaInstant = try reader.read()
            append(
                Entry(sequence: sequence, due: due, tries: try reader.read(in: 0...Self.maxTries - 1), isGone: false))
        }
        // No later than the earliest of the list, and sometimes earlier.
        earliestDue = try reader.readOptional()
        guard (earliestDue == nil) == (count == 0) else { throw .malformed }
        notBefore = try reader.readOptional()
        highest = try reader.readOptionalCounter()
        keyFrames = try reader.read()
        recovered = try reader.read()
        roundTripTime = try reader.read()
        abandoned = try reader.readCounter()
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeCount(count)
        if let entries = unsafe entries {
            for index in first..<end where unsafe !entries[index].isGone {
                unsafe writer.write(entries[index].sequence)
                unsafe writer.write(entries[index].due)
                unsafe writer.write(entries[index].tries)
            }
        }
        writer.writeOptional(earliestDue)
        writer.writeOptional(notBefore)
        writer.writeOptional(highest)
        writer.write(keyFrames)
        writer.write(recovered)
        writer.write(roundTripTime)
        writer.write(abandoned)
    }
}

extension RecentSequences: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        count = try reader.readCount(atMost: Self.capacity)
        for index in 0..<count { numbers[index] = try reader.readCounter() }
    }

    func write(to writer: inout SnapshotWriter) {
        writer.writeCount(count)
        for index in 0..<count { writer.write(numbers[(start + index) % Self.capacity]) }
    }
}
