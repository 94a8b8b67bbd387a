import Synchronization

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
        var header = unsafe ring.arena.load(fromByteOffset: offset, as: UInt64.self)
        if header == SPSCRing.skip {
            position += UInt64(ring.capacity - offset)
            offset = 0
            header = unsafe ring.arena.load(fromByteOffset: 0, as: UInt64.self)
        }
        return unsafe UnsafeRawBufferPointer(
            start: ring.arena + offset + SPSCRing.headerLength, count: Int(truncatingIfNeeded: header))
    }

    /// Gives up the record that `peek` returned.
    mutating func advance() {
        guard position != knownTail else { return }
        let offset = Int(truncatingIfNeeded: position) & (ring.capacity - 1)
        let header = unsafe ring.arena.load(fromByteOffset: offset, as: UInt64.self)
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
