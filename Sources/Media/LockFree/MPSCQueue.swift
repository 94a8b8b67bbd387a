import Synchronization

// Roles
//   Any number of producers call `push` and `mustWakeConsumer`. One consumer (a shard's thread) calls `pop`, `prepareToSleep`
//   and `woke`; that there is one is the shard's duty, and asserted by nothing but the stress test.
//
// Layout
//   A power of two of slots, each a turn number and an element (bounded queue after D. Vyukov). Slot `i` is free for the
//   push at position p (p mod capacity = i) when its turn is p, and full for the pop at p when its turn is p + 1; the pop
//   sets it to p + capacity. `tail`, `head` and the sleep flag have cache lines of their own.
//
// Ordering
//   push: load turn ACQUIRE, pairs with store turn RELEASE in pop: the slot's old element is moved out before the new one
//   is written. CAS tail relaxed: it only hands out positions; the slot's turn publishes. Load head relaxed: a stale head
//   makes the queue look fuller than it is, never emptier. Store turn RELEASE, pairs with load turn ACQUIRE in pop:
//   publishes the element.
//   pop: store head relaxed: nothing is read through it.
//   Sleep: the consumer stores the flag, the producer stores the turn, then each issues a SEQUENTIALLY CONSISTENT fence and
//   reads what the other wrote. Release and acquire would let both read the old value (store buffering) and lose the wake;
//   with both fences at least one sees the other. The flag's exchange picks one waker; nothing is published through it.
//
// Progress and overflow
//   push: lock-free; pop: wait-free. A producer stopped between its CAS and its store hides later elements until it goes
//   on; its own wake check then comes after its store, so nobody sleeps over them. Full: `.full`, the caller reports
//   overload. The last `reserve` places take urgent elements only (closing commands), which must not be lost.
//
// Checked by
//   LockFreeTests/MPSCQueueTests: model check, reserve, and the stress tests "every element of every producer arrives once
//   and in its order" and "no wake is lost", under the thread sanitizer; the first fails when built with WEAKEN_ORDERING.

/// A bounded queue from many threads or actors to one thread that sleeps when there is nothing to do.
// Sendable: an element is written by the producer that won its position and read by the one consumer after the slot's turn
// says so (see Ordering).
@safe final class MPSCQueue<Element: Sendable>: @unchecked Sendable {
    enum PushResult: Hashable, Sendable {
        case full
        case enqueued
        /// Enqueued, and this caller has to wake the consumer.
        case enqueuedWakeConsumer
    }

    let capacity: Int
    let reserve: Int
    // Safe: both own `capacity` places; subscripts are masked. An element is initialized exactly while its turn is p + 1.
    private let turns: UnsafeMutablePointer<Atomic<Int>>
    private let elements: UnsafeMutablePointer<Element>
    private let padding0 = InlineArray<16, UInt64>(repeating: 0)
    private let tail = Atomic<Int>(0)
    private let padding1 = InlineArray<15, UInt64>(repeating: 0)
    private let head = Atomic<Int>(0)
    private let padding2 = InlineArray<15, UInt64>(repeating: 0)
    private let consumerIsAsleep = Atomic<Bool>(false)

    /// - Parameters:
    ///   - capacity: rounded up to a power of two, at least 2.
    ///   - reserve: places that only urgent elements may take, less than the capacity.
    init(capacity: Int, reserve: Int) {
        var rounded = 2
        while rounded < capacity { rounded *= 2 }
        self.capacity = rounded
        self.reserve = min(max(reserve, 0), rounded - 1)
        unsafe turns = .allocate(capacity: rounded)
        unsafe elements = .allocate(capacity: rounded)
        for index in 0..<rounded { unsafe (turns + index).initialize(to: Atomic(index)) }
    }

    deinit {
        while pop() != nil {}
        unsafe turns.deinitialize(count: capacity)
        unsafe turns.deallocate()
        unsafe elements.deallocate()
    }

    /// Appends an element; any thread.
    func push(_ element: consuming Element, urgent: Bool = false) -> PushResult {
        let limit = urgent ? capacity : capacity - reserve
        var position = tail.load(ordering: .relaxed)
        while true {
            if position - head.load(ordering: .relaxed) >= limit {
                // A stale tail may be the reason: look again, and give up only on the same one.
                let current = tail.load(ordering: .relaxed)
                if current == position { return .full }
                position = current
                continue
            }
            let index = position & (capacity - 1)
            let turn = unsafe turns[index].load(ordering: .acquiring)
            if turn == position {
                let (won, original) = tail.weakCompareExchange(
                    expected: position, desired: position + 1, ordering: .relaxed)
                if won { break }
                position = original
            } else if turn < position {
                return .full
            } else {
                position = tail.load(ordering: .relaxed)
            }
        }
        let index = position & (capacity - 1)
        unsafe (elements + index).initialize(to: element)
        #if WEAKEN_ORDERING
            turns[index].store(position + 1, ordering: .relaxed)
        #else
            unsafe turns[index].store(position + 1, ordering: .releasing)
        #endif
        return mustWakeConsumer() ? .enqueuedWakeConsumer : .enqueued
    }

    /// Whether the consumer sleeps, so that the caller has to wake it; at most one caller per sleep gets a yes.
    ///
    /// For work that reached the consumer another way (a published `SPSCRing`): call it after the publication.
    func mustWakeConsumer() -> Bool {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard consumerIsAsleep.load(ordering: .relaxed) else { return false }
        return consumerIsAsleep.exchange(false, ordering: .relaxed)
    }

    /// The oldest element; consumer only.
    func pop() -> Element? {
        let position = head.load(ordering: .relaxed)
        let index = position & (capacity - 1)
        guard unsafe turns[index].load(ordering: .acquiring) == position + 1 else { return nil }
        let element = unsafe (elements + index).move()
        unsafe turns[index].store(position + capacity, ordering: .releasing)
        head.store(position + 1, ordering: .relaxed)
        return element
    }

    /// Whether nothing waits; consumer only.
    var isEmpty: Bool {
        let position = head.load(ordering: .relaxed)
        return unsafe turns[position & (capacity - 1)].load(ordering: .acquiring) != position + 1
    }

    /// Announces that the consumer is about to block; consumer only.
    ///
    /// - Returns: `true` when it may block, after it has looked once more at its other inputs; from now on a push asks for a
    ///   wake. `false` when an element is waiting.
    func prepareToSleep() -> Bool {
        consumerIsAsleep.store(true, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        let position = head.load(ordering: .relaxed)
        guard unsafe turns[position & (capacity - 1)].load(ordering: .acquiring) != position + 1 else {
            woke()
            return false
        }
        return true
    }

    /// Ends the sleep, whatever ended it; consumer only.
    func woke() { consumerIsAsleep.store(false, ordering: .relaxed) }
}
