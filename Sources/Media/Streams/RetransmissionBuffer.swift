/// Recently received packets of one producer stream, kept for retransmission to every consumer on this shard.
///
/// Keyed by the original extended sequence number: a consumer finds the number of a NACKed packet with
/// `SequenceRewriter.original(ofOutput:)`. What is stored is the packet as the shard prepared it, opaque here.
///
/// Memory: an index of 16 bytes a number, grown by doubling up to 4096, and slots of 1568 bytes in slabs of sixteen,
/// allocated when the window first needs them and recycled from then on; freed when the window runs empty. Sound's packets
/// are short: its slots have 384 bytes until a longer packet comes.
@safe struct RetransmissionBuffer: ~Copyable {
    /// A stored packet; `bytes` is valid until the buffer's next mutation.
    @safe struct Packet {
        var bytes: UnsafeRawBufferPointer
        var extended: UInt64
        var timestamp: UInt32
        var storedAt: MediaInstant
    }

    /// A datagram's worth, and what the shard puts before it.
    static let maxPacketLength = 1500 + PreparedPacket.metadataLength
    static let maxPackets = 2500
    /// More than the 2 s that a repair needs: consumers that join get the newest group of pictures from here, and two of
    /// these make five seconds (Docs/Decisions/0009).
    static let videoWindow = MediaDuration.milliseconds(2500)
    static let audioWindow = MediaDuration.milliseconds(1000)

    private static let longStride = (maxPacketLength + 15) & ~15
    private static let shortStride = 384
    private static let slotsPerSlab = 16
    private static let maxSlabs = 157
    private static let maxIndex = 4096
    private static let noSlot = UInt16.max

    private struct Entry {
        var storedAt: UInt64 = 0
        var timestamp: UInt32 = 0
        var length: UInt16 = 0
        /// `noSlot`: a blank, never received or not stored.
        var slot: UInt16 = RetransmissionBuffer.noSlot
    }

    private let window: MediaDuration
    /// Bytes of each slot; the same for all that there are.
    private var slotStride: Int
    // Safe: `entries` owns `indexCapacity` initialized entries, a power of two; subscripts are masked with it.
    private var entries: UnsafeMutablePointer<Entry>?
    private var indexCapacity = 0
    // Safe: `slabs` owns `maxSlabs` pointers of which the first `slabCount` are slabs of `slotsPerSlab` slots; a slot's
    // number is below `slabCount * slotsPerSlab` and belongs either to one entry or to the free list.
    private var slabs: UnsafeMutablePointer<UnsafeMutableRawPointer>?
    private var slabCount = 0
    /// The free list goes through the first two bytes of each free slot.
    private var firstFree = RetransmissionBuffer.noSlot

    /// Numbers in the window: `oldest...newest`, when `span` is not zero.
    private var oldest: UInt64 = 0
    private var span = 0
    private(set) var storedCount = 0

    /// - Parameter window: how long a packet is kept; `videoWindow` or `audioWindow`.
    init(window: MediaDuration) {
        self.window = window
        slotStride = Self.firstStride(window)
    }

    private static func firstStride(_ window: MediaDuration) -> Int { window == audioWindow ? shortStride : longStride }

    deinit {
        unsafe entries?.deallocate()
        guard let slabs = unsafe slabs else { return }
        for index in 0..<slabCount { unsafe slabs[index].deallocate() }
        unsafe slabs.deallocate()
    }

    /// Bytes this buffer holds from the allocator.
    var allocatedBytes: Int {
        indexCapacity * MemoryLayout<Entry>.stride + slabCount * Self.slotsPerSlab * slotStride
    }

    /// Keeps a copy of the packet.
    ///
    /// - Returns: `false` when it is longer than `maxPacketLength`, older than the window, or already there.
    @discardableResult
    mutating func store(
        extended: UInt64, bytes: UnsafeRawBufferPointer, timestamp: UInt32, at now: MediaInstant
    ) -> Bool {
        removeOld(at: now)
        guard let source = bytes.baseAddress, bytes.count <= Self.maxPacketLength else { return false }
        if bytes.count > slotStride {
            // What is kept goes: it happens once in a stream, and costs what could be repaired of a second.
            removeAllAndRelease()
            slotStride = Self.longStride
        }
        guard admit(extended), let entries = unsafe entries else { return false }
        let index = Int(truncatingIfNeeded: extended) & (indexCapacity - 1)
        guard unsafe entries[index].slot == Self.noSlot, let slot = takeSlot(), let memory = unsafe memory(of: slot)
        else {
            return false
        }
        unsafe memory.copyMemory(from: source, byteCount: bytes.count)
        unsafe entries[index] = Entry(
            storedAt: now.nanoseconds, timestamp: timestamp, length: UInt16(bytes.count), slot: slot)
        storedCount += 1
        return true
    }

    /// The newest number that was stored, or may yet fill a blank.
    var newest: UInt64? { span > 0 ? oldest + UInt64(span - 1) : nil }

    /// The packet with this number, if it is still in the window.
    func find(extended: UInt64, at now: MediaInstant) -> Packet? {
        guard let entries = unsafe entries, span > 0, extended >= oldest, extended - oldest < UInt64(span) else {
            return nil
        }
        let entry = unsafe entries[Int(truncatingIfNeeded: extended) & (indexCapacity - 1)]
        let storedAt = MediaInstant(nanoseconds: entry.storedAt)
        guard entry.slot != Self.noSlot, now - storedAt <= window, let memory = unsafe memory(of: entry.slot) else {
            return nil
        }
        return unsafe Packet(
            bytes: UnsafeRawBufferPointer(start: memory, count: Int(entry.length)), extended: extended,
            timestamp: entry.timestamp, storedAt: storedAt)
    }

    /// Every packet that is stored, oldest first; each is valid until the buffer changes.
    func forEach(_ body: (Packet) -> Void) {
        guard let entries = unsafe entries else { return }
        for offset in 0..<span {
            let number = oldest + UInt64(offset)
            let entry = unsafe entries[Int(truncatingIfNeeded: number) & (indexCapacity - 1)]
            guard entry.slot != Self.noSlot, let memory = unsafe memory(of: entry.slot) else { continue }
            unsafe body(
                Packet(
                    bytes: UnsafeRawBufferPointer(start: memory, count: Int(entry.length)), extended: number,
                    timestamp: entry.timestamp, storedAt: MediaInstant(nanoseconds: entry.storedAt)))
        }
    }

    /// Drops packets older than the window, and all memory once none is left.
    mutating func removeExpired(at now: MediaInstant) {
        removeOld(at: now)
        if storedCount == 0 { release() }
    }

    /// Forgets every packet and gives all memory back.
    mutating func removeAllAndRelease() {
        removeAll()
        release()
    }

    /// Forgets every packet (the stream restarted).
    mutating func removeAll() {
        while span > 0 { removeOldest() }
    }

    /// Makes `extended` part of `oldest...newest`; `false` when it is too old for that.
    private mutating func admit(_ extended: UInt64) -> Bool {
        if span == 0 {
            guard reserveIndex(1) else { return false }
            oldest = extended
            span = 1
            return true
        }
        let newest = oldest + UInt64(span - 1)
        if extended > newest {
            if extended - newest >= UInt64(Self.maxPackets) {
                removeAll()
                return admit(extended)
            }
            while span > 0, extended - oldest >= UInt64(Self.maxPackets) { removeOldest() }
            if span == 0 { return admit(extended) }
            let newSpan = Int(extended - oldest) + 1
            guard reserveIndex(newSpan) else { return false }
            span = newSpan
            return true
        }
        if extended < oldest {
            let newSpan = newest - extended + 1
            guard newSpan <= UInt64(Self.maxPackets), reserveIndex(Int(newSpan)) else { return false }
            oldest = extended
            span = Int(newSpan)
        }
        return true
    }

    /// Grows the index so that `count` consecutive numbers have places of their own.
    private mutating func reserveIndex(_ count: Int) -> Bool {
        if count <= indexCapacity { return true }
        guard count <= Self.maxIndex else { return false }
        var capacity = max(indexCapacity, 64)
        while capacity < count { capacity *= 2 }
        let grown = UnsafeMutablePointer<Entry>.allocate(capacity: capacity)
        unsafe grown.initialize(repeating: Entry(), count: capacity)
        if let entries = unsafe entries {
            for offset in 0..<span {
                let number = Int(truncatingIfNeeded: oldest &+ UInt64(offset))
                unsafe grown[number & (capacity - 1)] = unsafe entries[number & (indexCapacity - 1)]
            }
            unsafe entries.deallocate()
        }
        unsafe entries = grown
        indexCapacity = capacity
        return true
    }

    /// Drops from the old end what is blank or older than the window.
    private mutating func removeOld(at now: MediaInstant) {
        guard let entries = unsafe entries else { return }
        while span > 0 {
            let entry = unsafe entries[Int(truncatingIfNeeded: oldest) & (indexCapacity - 1)]
            let isBlank = entry.slot == Self.noSlot
            guard isBlank || now - MediaInstant(nanoseconds: entry.storedAt) > window else { return }
            removeOldest()
        }
    }

    private mutating func removeOldest() {
        guard let entries = unsafe entries, span > 0 else { return }
        let index = Int(truncatingIfNeeded: oldest) & (indexCapacity - 1)
        if unsafe entries[index].slot != Self.noSlot {
            unsafe giveBack(entries[index].slot)
            unsafe entries[index].slot = Self.noSlot
            storedCount -= 1
        }
        oldest += 1
        span -= 1
    }

    private func memory(of slot: UInt16) -> UnsafeMutableRawPointer? {
        guard let slabs = unsafe slabs, Int(slot) < slabCount * Self.slotsPerSlab else { return nil }
        return unsafe slabs[Int(slot) / Self.slotsPerSlab] + (Int(slot) % Self.slotsPerSlab) * slotStride
    }

    private mutating func takeSlot() -> UInt16? {
        if firstFree == Self.noSlot, !addSlab() { return nil }
        let slot = firstFree
        guard let memory = unsafe memory(of: slot) else { return nil }
        firstFree = unsafe memory.load(as: UInt16.self)
        return slot
    }

    private mutating func giveBack(_ slot: UInt16) {
        guard let memory = unsafe memory(of: slot) else { return }
        unsafe memory.storeBytes(of: firstFree, as: UInt16.self)
        firstFree = slot
    }

    private mutating func addSlab() -> Bool {
        guard slabCount < Self.maxSlabs else { return false }
        let pointers = unsafe slabs ?? .allocate(capacity: Self.maxSlabs)
        unsafe slabs = pointers
        let slab = UnsafeMutableRawPointer.allocate(byteCount: Self.slotsPerSlab * slotStride, alignment: 16)
        unsafe (pointers + slabCount).initialize(to: slab)
        slabCount += 1
        let firstSlot = (slabCount - 1) * Self.slotsPerSlab
        for slot in (firstSlot..<firstSlot + Self.slotsPerSlab).reversed() { giveBack(UInt16(slot)) }
        return true
    }

    private mutating func release() {
        unsafe entries?.deallocate()
        unsafe entries = nil
        indexCapacity = 0
        if let slabs = unsafe slabs {
            for index in 0..<slabCount { unsafe slabs[index].deallocate() }
            unsafe slabs.deallocate()
        }
        unsafe slabs = nil
        slabCount = 0
        slotStride = Self.firstStride(window)
        firstFree = Self.noSlot
        span = 0
        storedCount = 0
    }
}

// MARK: Snapshot

/// Only the window is written down: a buffer begins empty elsewhere, and what its packets would have repaired costs a key
/// frame at most.
extension RetransmissionBuffer: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) { self.init(window: try reader.read()) }

    func write(to writer: inout SnapshotWriter) { writer.write(window) }
}
