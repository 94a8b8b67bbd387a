import Synchronization

// Roles
//   One producer (`SPSCRingProducer`), one consumer (`SPSCRingConsumer`); both are ~Copyable and claim their end once, so
//   "single" holds by construction. The two ends may live on different threads; `SPSCRing` itself is only shared storage.
//
// Layout
//   A byte arena of a power of two. Positions count bytes since the start and never wrap (2^63 bytes); an offset is a
//   position masked with the capacity. A record is an 8-byte header (its length) and its bytes, padded to 8, never split:
//   where it does not fit before the end of the arena, the header `skip` sends the reader back to offset zero.
//   `tail` (written by the producer) and `head` (written by the consumer) have cache lines of their own; each end keeps a
//   copy of the other's position and reads the shared one only when the copy says "full" or "empty".
//
// Ordering
//   publish: store tail RELEASE, pairs with load tail ACQUIRE in `peek`; publishes the arena bytes below tail.
//   advance: store head RELEASE, pairs with load head ACQUIRE in `reserve`; hands the bytes below head back, so that the
//   producer's writes cannot overtake the consumer's reads.
//   Each end's own position is a plain variable: only that end reads it.
//
// Progress and overflow
//   Wait-free on both sides. Full: `reserve` returns nil, nothing waits, the caller counts the drop. Records are visible
//   only after `publish`, one release store for a whole batch. The consumer hands space back when the ring runs empty or an
//   eighth of it is consumed, so "full" may come that much early.
//
// Checked by
//   LockFreeTests/SPSCRingTests: a model check against an array, and the stress test "records cross threads whole and in
//   order" under the thread sanitizer, which fails when built for release with WEAKEN_ORDERING.

/// The shared storage of a byte ring with variable-length records between two threads.
// Sendable: the arena is written by the producer only between head and tail + capacity and read by the consumer only below
// tail, and these regions never overlap (see Ordering).
final class SPSCRing: @unchecked Sendable {
    fileprivate static let headerLength = 8
    /// The header of a place where the reader goes back to the start of the arena.
    fileprivate static let skip = UInt64.max

    /// In bytes; a power of two.
    let capacity: Int
    // Safe: owns `capacity` bytes aligned to 64; offsets are positions masked with `capacity - 1`, and records end at or
    // before the arena does.
    fileprivate let arena: UnsafeMutableRawPointer
    private let padding0 = InlineArray<16, UInt64>(repeating: 0)
    fileprivate let tail = Atomic<UInt64>(0)
    private let padding1 = InlineArray<15, UInt64>(repeating: 0)
    fileprivate let head = Atomic<UInt64>(0)
    private let padding2 = InlineArray<15, UInt64>(repeating: 0)
    private let claims = Atomic<UInt8>(0)

    /// - Parameter capacity: rounded up to a power of two, at least 4096 bytes.
    init(capacity: Int) {
        var rounded = 4096
        while rounded < capacity { rounded *= 2 }
        self.capacity = rounded
        arena = .allocate(byteCount: rounded, alignment: 64)
    }

    deinit { arena.deallocate() }

    /// The longest record `reserve` accepts: an eighth of the ring, so that a skipped end never makes a fitting record fail
    /// in an empty ring.
    var maxRecordLength: Int { capacity / 8 - Self.headerLength }

    fileprivate func claim(_ end: UInt8) {
        // Two producers or two consumers are a programming error that nothing later could detect.
        precondition(claims.bitwiseOr(end, ordering: .relaxed).oldValue & end == 0, "this end of the ring is taken")
    }

    fileprivate static func footprint(_ length: Int) -> Int { headerLength + (length + 7) & ~7 }
}

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

    var hasUnpublished: Bool { position != published }

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
        if skipped > 0 { ring.arena.storeBytes(of: SPSCRing.skip, toByteOffset: offset, as: UInt64.self) }
        reservedAt = position + UInt64(skipped)
        reservedLength = length
        let start = skipped > 0 ? 0 : offset
        return ring.arena + start + SPSCRing.headerLength
    }

    /// Ends the reserved record; it becomes visible with `publish`.
    /// - Parameter length: how much of the reservation was written; all of it by default.
    mutating func commit(_ length: Int? = nil) {
        guard reservedLength >= 0 else { return assertionFailure("commit without reserve") }
        let used = min(max(length ?? reservedLength, 0), reservedLength)
        let offset = Int(truncatingIfNeeded: reservedAt) & (ring.capacity - 1)
        ring.arena.storeBytes(of: UInt64(used), toByteOffset: offset, as: UInt64.self)
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

/// The consumer's end of an `SPSCRing`: peek, read, advance.
struct SPSCRingConsumer: ~Copyable {
    let ring: SPSCRing
    private var position: UInt64 = 0
    private var released: UInt64 = 0
    /// The producer's tail as last read.
    private var knownTail: UInt64 = 0

    init(_ ring: SPSCRing) {
        ring.claim(2)
        self.ring = ring
    }

    /// The oldest record, valid until `advance`; `nil` when nothing is published.
    mutating func peek() -> UnsafeRawBufferPointer? {
        if position == knownTail {
            knownTail = ring.tail.load(ordering: .acquiring)
            if position == knownTail {
                release()
                return nil
            }
        }
        var offset = Int(truncatingIfNeeded: position) & (ring.capacity - 1)
        // Safe: below the tail lie whole records and skip marks, written before the tail was published.
        var header = ring.arena.load(fromByteOffset: offset, as: UInt64.self)
        if header == SPSCRing.skip {
            position += UInt64(ring.capacity - offset)
            offset = 0
            header = ring.arena.load(fromByteOffset: 0, as: UInt64.self)
        }
        return UnsafeRawBufferPointer(
            start: ring.arena + offset + SPSCRing.headerLength, count: Int(truncatingIfNeeded: header))
    }

    /// Gives up the record that `peek` returned.
    mutating func advance() {
        guard position != knownTail else { return }
        let offset = Int(truncatingIfNeeded: position) & (ring.capacity - 1)
        let header = ring.arena.load(fromByteOffset: offset, as: UInt64.self)
        guard header != SPSCRing.skip else { return assertionFailure("advance without peek") }
        position += UInt64(SPSCRing.footprint(Int(truncatingIfNeeded: header)))
        if position - released >= UInt64(ring.capacity / 8) { release() }
    }

    /// Whether something is published and not consumed, asked before sleeping.
    func isEmpty() -> Bool { position == ring.tail.load(ordering: .acquiring) }

    private mutating func release() {
        guard released != position else { return }
        released = position
        ring.head.store(position, ordering: .releasing)
    }
}
