/// One deadline per transport slot, in buckets of a millisecond.
///
/// Scheduling, cancelling and expiring are O(1). A deadline beyond the wheel's turn waits in one of its last buckets and is
/// put back when that is reached; a deadline is never early and at most one bucket late.
struct TimerWheel {
    static let bucketCount = 4096
    static let granularity: UInt64 = 1_000_000
    /// Deadlines beyond the wheel's turn wait in every so many-th bucket, so that thousands of them end few sleeps.
    static let waitingGrid: UInt64 = 256

    private struct Node {
        var next: Int32 = -1
        var previous: Int32 = -1
        /// -1 while not scheduled.
        var bucket: Int32 = -1
        var deadline: UInt64 = 0
    }

    private var nodes: [Node] = []
    private var heads = [Int32](repeating: -1, count: bucketCount)
    private var occupied = [UInt64](repeating: 0, count: bucketCount / 64)
    /// The tick up to which every bucket has been emptied.
    private var currentTick: UInt64

    init(now: MediaInstant) { currentTick = now.nanoseconds / Self.granularity }

    /// Sets or moves a slot's deadline.
    mutating func schedule(_ slot: Int, at deadline: MediaInstant) {
        if slot >= nodes.count { nodes.append(contentsOf: repeatElement(Node(), count: slot + 1 - nodes.count)) }
        if nodes[slot].bucket >= 0 {
            if nodes[slot].deadline == deadline.nanoseconds { return }
            unlink(slot)
        }
        nodes[slot].deadline = deadline.nanoseconds
        link(slot)
    }

    mutating func cancel(_ slot: Int) {
        if slot < nodes.count, nodes[slot].bucket >= 0 { unlink(slot) }
    }

    /// The slot's deadline, if it has one.
    func deadline(of slot: Int) -> MediaInstant? {
        guard slot < nodes.count, nodes[slot].bucket >= 0 else { return nil }
        return MediaInstant(nanoseconds: nodes[slot].deadline)
    }

    /// Removes and returns a slot whose deadline has passed; call until `nil`.
    mutating func popExpired(at now: MediaInstant) -> Int? {
        let nowTick = now.nanoseconds / Self.granularity
        while currentTick <= nowTick {
            let bucket = Int(currentTick % UInt64(Self.bucketCount))
            var node = heads[bucket]
            while node >= 0 {
                let slot = Int(node)
                if nodes[slot].deadline <= now.nanoseconds {
                    unlink(slot)
                    return slot
                }
                node = nodes[slot].next
                // Belongs to a later turn of the wheel (or later within this very tick).
                if nodes[slot].deadline / Self.granularity > currentTick {
                    unlink(slot)
                    link(slot)
                }
            }
            if currentTick == nowTick { return nil }
            currentTick += 1
            skipEmptyBuckets(until: nowTick)
        }
        return nil
    }

    /// The earliest instant at which `popExpired` may find something; `nil` when nothing is scheduled.
    func nextDeadline() -> MediaInstant? {
        guard let bucket = firstOccupiedBucket() else { return nil }
        let current = Int(currentTick % UInt64(Self.bucketCount))
        let distance = (bucket - current + Self.bucketCount) % Self.bucketCount
        var earliest = UInt64.max
        var node = heads[bucket]
        while node >= 0 {
            earliest = min(earliest, nodes[Int(node)].deadline)
            node = nodes[Int(node)].next
        }
        // A bucket may hold only deadlines of a later turn: wake at the bucket's own time then, and sort them again.
        let bucketEnd = (currentTick + UInt64(distance) + 1) * Self.granularity
        return MediaInstant(nanoseconds: min(earliest, bucketEnd))
    }

    private mutating func link(_ slot: Int) {
        let tick = max(nodes[slot].deadline / Self.granularity, currentTick)
        let last = currentTick + UInt64(Self.bucketCount) - 1
        let reachable = tick <= last ? tick : last / Self.waitingGrid * Self.waitingGrid
        let bucket = Int(reachable % UInt64(Self.bucketCount))
        nodes[slot].bucket = Int32(bucket)
        nodes[slot].previous = -1
        nodes[slot].next = heads[bucket]
        if heads[bucket] >= 0 { nodes[Int(heads[bucket])].previous = Int32(slot) }
        heads[bucket] = Int32(slot)
        occupied[bucket >> 6] |= 1 << UInt64(bucket & 63)
    }

    private mutating func unlink(_ slot: Int) {
        let node = nodes[slot]
        let bucket = Int(node.bucket)
        if node.previous >= 0 { nodes[Int(node.previous)].next = node.next } else { heads[bucket] = node.next }
        if node.next >= 0 { nodes[Int(node.next)].previous = node.previous }
        if heads[bucket] < 0 { occupied[bucket >> 6] &= ~(1 << UInt64(bucket & 63)) }
        nodes[slot].bucket = -1
    }

    private mutating func skipEmptyBuckets(until limit: UInt64) {
        guard let bucket = firstOccupiedBucket() else {
            currentTick = limit
            return
        }
        let current = Int(currentTick % UInt64(Self.bucketCount))
        let distance = UInt64((bucket - current + Self.bucketCount) % Self.bucketCount)
        currentTick = min(currentTick + distance, limit)
    }

    /// The first occupied bucket at or after the current one, around the wheel.
    private func firstOccupiedBucket() -> Int? {
        let current = Int(currentTick % UInt64(Self.bucketCount))
        let words = occupied.count
        let head = occupied[current >> 6] & (~0 << UInt64(current & 63))
        if head != 0 { return (current >> 6) << 6 + head.trailingZeroBitCount }
        for step in 1...words {
            let word = ((current >> 6) + step) % words
            if occupied[word] != 0 { return word << 6 + occupied[word].trailingZeroBitCount }
        }
        return nil
    }
}
