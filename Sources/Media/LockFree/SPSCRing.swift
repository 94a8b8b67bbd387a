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
@safe final class SPSCRing: @unchecked Sendable {
    static let headerLength = 8
    /// The header of a place where the reader goes back to the start of the arena.
    static let skip = UInt64.max

    /// In bytes; a power of two.
    let capacity: Int
    // Safe: owns `capacity` bytes aligned to 64; offsets are positions masked with `capacity - 1`, and records end at or
    // before the arena does.
    let arena: UnsafeMutableRawPointer
    private let padding0 = InlineArray<16, UInt64>(repeating: 0)
    let tail = Atomic<UInt64>(0)
    private let padding1 = InlineArray<15, UInt64>(repeating: 0)
    let head = Atomic<UInt64>(0)
    private let padding2 = InlineArray<15, UInt64>(repeating: 0)
    private let claims = Atomic<UInt8>(0)

    /// - Parameter capacity: rounded up to a power of two, at least 4096 bytes.
    init(capacity: Int) {
        var rounded = 4096
        while rounded < capacity { rounded *= 2 }
        self.capacity = rounded
        unsafe arena = .allocate(byteCount: rounded, alignment: 64)
    }

    deinit { unsafe arena.deallocate() }

    /// The longest record `reserve` accepts: an eighth of the ring, so that a skipped end never makes a fitting record fail
    /// in an empty ring.
    var maxRecordLength: Int { capacity / 8 - Self.headerLength }

    func claim(_ end: UInt8) {
        // Two producers or two consumers are a programming error that nothing later could detect.
        precondition(claims.bitwiseOr(end, ordering: .relaxed).oldValue & end == 0, "this end of the ring is taken")
    }

    static func footprint(_ length: Int) -> Int { headerLength + (length + 7) & ~7 }
}
