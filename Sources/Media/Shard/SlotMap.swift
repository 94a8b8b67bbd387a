import CPrefetch

/// Owns a shard's objects of one kind, and finds them by slots.
///
/// The one place where they are reached by pointers: everything else holds slots. An element stays where it is in memory.
/// To use a slot whose element was removed is a mistake of ours, and traps.
// Safe: chunks below `chunkCount` are initialized, and own room for `chunkSize` elements while `live` is not zero; the bits
// of `live` say which of them are initialized. `pointer` checks chunk, place and generation.
@safe struct SlotMap<Element: ~Copyable>: ~Copyable {
    @safe private struct Chunk {
        var elements: UnsafeMutablePointer<Element>?
        var live: UInt16 = 0
        var generations = InlineArray<16, UInt32>(repeating: 0)
    }

    private static var chunkSize: Int { 16 }

    private var chunks: UnsafeMutablePointer<Chunk>
    private var chunkCount = 0
    private var capacity = 4
    private(set) var count = 0
    /// Places that were used before.
    private var free: [UInt32] = []

    init() { unsafe chunks = .allocate(capacity: capacity) }

    deinit {
        for chunk in 0..<chunkCount { removeAll(of: chunk) }
        unsafe chunks.deallocate()
    }

    /// The element of a slot; it has to be there.
    subscript(slot: Slot<Element>) -> Element {
        @inline(__always)
        _read { yield unsafe pointer(slot).pointee }
        // Nonmutating, because elements of different slots, and of different maps, are used together.
        @inline(__always)
        nonmutating _modify { yield unsafe &pointer(slot).pointee }
    }

    @inline(__always)
    private func pointer(_ slot: Slot<Element>) -> UnsafeMutablePointer<Element> {
        let (chunk, place) = (Int(slot.index >> 4), Int(slot.index & 15))
        // '!' okay: a generation of an empty chunk matches no slot.
        unsafe precondition(
            chunk < chunkCount && chunks[chunk].generations[place] == slot.generation, "the slot is gone")
        return unsafe chunks[chunk].elements! + place
    }

    /// Whether a slot's element is still there.
    func contains(_ slot: Slot<Element>) -> Bool {
        let (chunk, place) = (Int(slot.index >> 4), Int(slot.index & 15))
        return unsafe chunk < chunkCount && chunks[chunk].generations[place] == slot.generation
    }

    /// The slot of an index, as timers name elements; `nil` if nothing is there.
    func slot(at index: Int) -> Slot<Element>? {
        let (chunk, place) = (index >> 4, index & 15)
        guard index >= 0, chunk < chunkCount, unsafe chunks[chunk].live & 1 << UInt16(place) != 0 else { return nil }
        return unsafe Slot(index: UInt32(truncatingIfNeeded: index), generation: chunks[chunk].generations[place])
    }

    /// Every index at which there may be an element.
    var indices: Range<Int> { 0..<chunkCount * Self.chunkSize }

    /// All slots in the order of their indices.
    var slots: [Slot<Element>] { indices.compactMap { slot(at: $0) } }

    mutating func insert(_ element: consuming Element) -> Slot<Element> {
        if free.isEmpty { addChunk() }
        let index = free.removeLast()
        let (chunk, place) = (Int(index >> 4), Int(index & 15))
        let elements: UnsafeMutablePointer<Element>
        if let allocated = unsafe chunks[chunk].elements {
            unsafe elements = allocated
        } else {
            unsafe elements = .allocate(capacity: Self.chunkSize)
            unsafe chunks[chunk].elements = elements
        }
        unsafe (elements + place).initialize(to: element)
        unsafe chunks[chunk].live |= 1 << UInt16(place)
        count += 1
        return unsafe Slot(index: index, generation: chunks[chunk].generations[place])
    }

    /// Removes an element that is there; its slot names nothing from now on.
    mutating func remove(_ slot: Slot<Element>) {
        unsafe pointer(slot).deinitialize(count: 1)
        let (chunk, place) = (Int(slot.index >> 4), Int(slot.index & 15))
        unsafe chunks[chunk].generations[place] &+= 1
        unsafe chunks[chunk].live &= ~(1 << UInt16(place))
        free.append(slot.index)
        count -= 1
        guard unsafe chunks[chunk].live == 0 else { return }
        unsafe chunks[chunk].elements?.deallocate()
        unsafe chunks[chunk].elements = nil
    }

    /// Asks for an element's first `bytes` bytes before they are needed.
    @inline(__always)
    func prefetch(_ slot: Slot<Element>, bytes: Int) {
        unsafe cpf_prefetch(pointer(slot), UInt32(truncatingIfNeeded: bytes))
    }

    // MARK: Snapshot

    /// Puts an element where it was in another map.
    /// - Throws: `malformed` if the place is taken or beyond any map's size.
    mutating func restore(_ element: consuming Element, at slot: Slot<Element>) throws(WireError) {
        let (chunk, place) = (Int(slot.index >> 4), Int(slot.index & 15))
        guard slot.index < Self.largestIndex else { throw .tooLarge }
        while chunkCount <= chunk { addChunk() }
        guard unsafe chunks[chunk].live & 1 << UInt16(place) == 0 else { throw .malformed }
        unsafe chunks[chunk].generations[place] = slot.generation
        if unsafe chunks[chunk].elements == nil { unsafe chunks[chunk].elements = .allocate(capacity: Self.chunkSize) }
        guard let elements = unsafe chunks[chunk].elements else { return }
        unsafe (elements + place).initialize(to: element)
        unsafe chunks[chunk].live |= 1 << UInt16(place)
        count += 1
    }

    /// All elements have been restored: what is left is free.
    mutating func endRestoring() {
        free.removeAll()
        for index in (0..<chunkCount * Self.chunkSize).reversed() where slot(at: index) == nil {
            free.append(UInt32(truncatingIfNeeded: index))
        }
    }

    private static var largestIndex: UInt32 { 1 << 20 }

    private mutating func addChunk() {
        if chunkCount == capacity {
            let grown = UnsafeMutablePointer<Chunk>.allocate(capacity: capacity * 2)
            unsafe grown.moveInitialize(from: chunks, count: chunkCount)
            unsafe chunks.deallocate()
            unsafe chunks = grown
            capacity *= 2
        }
        unsafe (chunks + chunkCount).initialize(to: Chunk())
        let first = UInt32(truncatingIfNeeded: chunkCount * Self.chunkSize)
        // Taken from the end: low indices first.
        for place in (0..<UInt32(Self.chunkSize)).reversed() { free.append(first + place) }
        chunkCount += 1
    }

    private func removeAll(of chunk: Int) {
        guard let elements = unsafe chunks[chunk].elements else { return }
        for place in 0..<Self.chunkSize where unsafe chunks[chunk].live & 1 << UInt16(place) != 0 {
            unsafe (elements + place).deinitialize(count: 1)
        }
        unsafe elements.deallocate()
    }
}
