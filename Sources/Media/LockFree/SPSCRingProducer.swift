import Synchronization

/// The producer's end of an `SPSCRing`: reserve, write, commit; then publish once per batch.
struct SPSCRingProducer: ~Copyable {
    let ring: SPSCRing
    /// Where the next record begins, published or not.
    private var position: UInt64 = 0
    private var published: UInt64 = 0
    /// The consumer's head as last read.
    private var knownHead: UInt64 = 0
    /// Where the reserved record begins (behind a skipped end), and its length.
    private var reservedAt: UInt64 = 0
    private var reservedLength = -1

    init(_ ring: SPSCRing) {
        ring.claim(1)
        self.ring = ring
    }

    /// Place for a record of `length` bytes, 8-aligned; `nil` when the ring is full or the record is too long.
    mutating func reserve(_ length: Int) -> UnsafeMutableRawPointer? {
        reservedLength = -1
        guard length >= 0, length <= ring.maxRecordLength else { return nil }
        let footprint = SPSCRing.footprint(length)
        let offset = Int(truncatingIfNeeded: position) & (ring.capacity - 1)
        let untilEnd = ring.capacity - offset
        let skipped = footprint <= untilEnd ? 0 : untilEnd
        let needed = UInt64(skipped + footprint)
        if position + needed - knownHead > UInt64(ring.capacity) {
            knownHead = ring.head.load(ordering: .acquiring)
            guard position + needed - knownHead <= UInt64(ring.capacity) else { return nil }
        }
        // Safe: `needed` bytes from `position` on belong to the producer, and positions are multiples of 8.
        if skipped > 0 { unsafe ring.arena.storeBytes(of: SPSCRing.skip, toByteOffset: offset, as: UInt64.self) }
        reservedAt = position + UInt64(skipped)
        reservedLength = length
        let start = skipped > 0 ? 0 : offset
        return unsafe ring.arena + start + SPSCRing.headerLength
    }

    /// Ends the reserved record; it becomes visible with `publish`.
    /// - Parameter length: how much of the reservation was written; all of it by default.
    mutating func commit(_ length: Int? = nil) {
        guard reservedLength >= 0 else { return assertionFailure("commit without reserve") }
        let used = min(max(length ?? reservedLength, 0), reservedLength)
        let offset = Int(truncatingIfNeeded: reservedAt) & (ring.capacity - 1)
        unsafe ring.arena.storeBytes(of: UInt64(used), toByteOffset: offset, as: UInt64.self)
        position = reservedAt + UInt64(SPSCRing.footprint(used))
        reservedLength = -1
    }

    /// Makes every committed record visible.
    /// - Returns: whether there was one; then the consumer may have to be woken.
    @discardableResult
    mutating func publish() -> Bool {
        guard position != published else { return false }
        published = position
        #if WEAKEN_ORDERING
            ring.tail.store(position, ordering: .relaxed)
        #else
            ring.tail.store(position, ordering: .releasing)
        #endif
        return true
    }
}
