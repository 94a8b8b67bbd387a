/// The inbound streams of a transport by SSRC. A stream enters only after a packet of it authenticated, so only the peer
/// that holds the keys can fill the table, and no further than `limit`.
///
/// A stream that nobody takes any longer is retired: its roll-over counter and windows are kept, since the keys go on and
/// what was recorded of it must stay a replay (RFC 3711 §3.3.2). Only the oldest of too many is forgotten.
// Safe: the three arrays hold `capacity` elements (`windows` `wordCount` words for each), all initialized; slots handed
// out are below `count`; they change only in `insert` and `remove`, between which no pointer is kept.
@safe struct SRTPStreamTable: ~Copyable {
    /// The most streams a transport can have.
    static let limit = 1024
    /// The most that are kept of those that nobody takes any longer.
    static let retiredLimit = 128

    /// The fixed part of a stream's state.
    struct Slot {
        var highestIndex: UInt64 = 0
        var rtcpWindow: UInt64 = 0
        var highestRTCPIndex: UInt32 = 0
        var hasRTP = false
        var hasRTCP = false
        /// When it was retired, by the count of all that were; 0 while it is taken.
        var retirement: UInt64 = 0
    }

    private var ssrcs: UnsafeMutablePointer<UInt32>
    private var slots: UnsafeMutablePointer<Slot>
    private var windows: UnsafeMutablePointer<UInt64>
    /// Most transports receive one or two streams.
    private var capacity = 2
    private(set) var count = 0
    /// How many are retired.
    private(set) var retiredCount = 0
    private var lastRetirement: UInt64 = 0
    /// Where the last look-up ended: packets come in bursts of one stream.
    private var recent = 0

    init() {
        unsafe ssrcs = .allocate(capacity: capacity)
        unsafe slots = .allocate(capacity: capacity)
        unsafe windows = .allocate(capacity: capacity * SRTPReplayWindow.wordCount)
        unsafe ssrcs.initialize(repeating: 0, count: capacity)
        unsafe slots.initialize(repeating: Slot(), count: capacity)
        unsafe windows.initialize(repeating: 0, count: capacity * SRTPReplayWindow.wordCount)
    }

    deinit {
        unsafe ssrcs.deallocate()
        unsafe slots.deallocate()
        unsafe windows.deallocate()
    }

    /// Whether there is room for no further stream, not even in a retired one's place.
    var isFull: Bool { count - retiredCount >= Self.limit }

    /// The stream's slot, or −1.
    mutating func find(_ ssrc: UInt32) -> Int {
        if recent < count, unsafe ssrcs[recent] == ssrc { return recent }
        var slot = 0
        while slot < count {
            if unsafe ssrcs[slot] == ssrc {
                recent = slot
                return slot
            }
            slot &+= 1
        }
        return -1
    }

    /// Makes a slot for an SSRC that has none, or −1 when the table is full.
    mutating func insert(_ ssrc: UInt32) -> Int {
        guard !isFull else { return -1 }
        if count >= Self.limit { removeOldestRetired() }
        if count == capacity { grow() }
        let slot = count
        unsafe ssrcs[slot] = ssrc
        unsafe slots[slot] = Slot()
        unsafe window(slot).words.update(repeating: 0, count: SRTPReplayWindow.wordCount)
        count += 1
        recent = slot
        return slot
    }

    /// Nobody takes an SSRC any longer, until a packet of it is opened again.
    mutating func retire(_ ssrc: UInt32) {
        let slot = find(ssrc)
        guard slot >= 0 else { return }
        if unsafe slots[slot].retirement == 0 { retiredCount += 1 }
        lastRetirement += 1
        unsafe slots[slot].retirement = lastRetirement
        if retiredCount > Self.retiredLimit { removeOldestRetired() }
    }

    /// A packet of a stream was opened.
    @inline(__always)
    mutating func taken(_ slot: Int) {
        guard unsafe slots[slot].retirement != 0 else { return }
        unsafe slots[slot].retirement = 0
        retiredCount -= 1
    }

    private mutating func removeOldestRetired() {
        var (oldest, earliest) = (-1, UInt64.max)
        for slot in 0..<count {
            let retirement = unsafe slots[slot].retirement
            guard retirement != 0, retirement < earliest else { continue }
            (oldest, earliest) = (slot, retirement)
        }
        guard oldest >= 0 else { return }
        retiredCount -= 1
        remove(at: oldest)
    }

    private mutating func remove(at slot: Int) {
        count -= 1
        if slot != count {
            unsafe ssrcs[slot] = ssrcs[count]
            unsafe slots[slot] = slots[count]
            unsafe window(slot).words.update(from: window(count).words, count: SRTPReplayWindow.wordCount)
        }
        recent = 0
    }

    func state(_ slot: Int) -> UnsafeMutablePointer<Slot> { unsafe slots + slot }

    func window(_ slot: Int) -> SRTPReplayWindow {
        unsafe SRTPReplayWindow(words: windows + slot * SRTPReplayWindow.wordCount)
    }

    /// Every stream, as plain data; the retired ones in no order, which only decides whom more of them drive out.
    var exported: [SRTPStreamState] {
        (0..<count).map { slot in
            let words = unsafe UnsafeBufferPointer(start: window(slot).words, count: SRTPReplayWindow.wordCount)
            return unsafe SRTPStreamState(
                ssrc: ssrcs[slot], highestIndex: slots[slot].hasRTP ? slots[slot].highestIndex : nil,
                window: Array(words),
                highestRTCPIndex: slots[slot].hasRTCP ? slots[slot].highestRTCPIndex : nil,
                rtcpWindow: slots[slot].rtcpWindow, isRetired: slots[slot].retirement != 0)
        }
    }

    /// Takes a stream over. `false` when the table is full, has it already, or the window is not one.
    mutating func insert(_ state: SRTPStreamState) -> Bool {
        guard state.window.count == SRTPReplayWindow.wordCount, find(state.ssrc) < 0 else { return false }
        let slot = insert(state.ssrc)
        guard slot >= 0 else { return false }
        unsafe slots[slot] = Slot(
            highestIndex: (state.highestIndex ?? 0) & 0xFFFF_FFFF_FFFF, rtcpWindow: state.rtcpWindow,
            highestRTCPIndex: (state.highestRTCPIndex ?? 0) & 0x7FFF_FFFF, hasRTP: state.highestIndex != nil,
            hasRTCP: state.highestRTCPIndex != nil)
        for (position, word) in state.window.enumerated() { unsafe window(slot).words[position] = word }
        if state.isRetired { retire(state.ssrc) }
        return true
    }

    private mutating func grow() {
        let larger = min(capacity * 2, Self.limit)
        unsafe ssrcs = Self.grown(ssrcs, from: capacity, to: larger, 0)
        unsafe slots = Self.grown(slots, from: capacity, to: larger, Slot())
        unsafe windows = Self.grown(
            windows, from: capacity * SRTPReplayWindow.wordCount, to: larger * SRTPReplayWindow.wordCount, 0)
        capacity = larger
    }

    private static func grown<Element>(
        _ old: UnsafeMutablePointer<Element>, from count: Int, to capacity: Int, _ empty: Element
    ) -> UnsafeMutablePointer<Element> {
        let new = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
        unsafe new.moveInitialize(from: old, count: count)
        unsafe (new + count).initialize(repeating: empty, count: capacity - count)
        unsafe old.deallocate()
        return unsafe new
    }
}

extension SRTPStreamTable.Slot {
    /// The index a sequence number most likely belongs to (RFC 3711 §3.3.1, appendix A). A roll-over counter of zero has
    /// no predecessor: then the number itself.
    func estimatedIndex(_ sequence: UInt16) -> UInt64 {
        guard hasRTP else { return UInt64(sequence) }
        let rollOver = highestIndex >> 16
        let last = Int(highestIndex & 0xFFFF)
        let next = Int(sequence)
        if last < 0x8000 {
            if next - last > 0x8000, rollOver > 0 { return (rollOver - 1) << 16 | UInt64(sequence) }
        } else if last - 0x8000 > next {
            return ((rollOver + 1) & 0xFFFF_FFFF) << 16 | UInt64(sequence)
        }
        return rollOver << 16 | UInt64(sequence)
    }

    /// Whether an SRTCP index may be accepted (RFC 3711 §3.4): a window of 64.
    func isFreshRTCP(_ index: UInt32) -> Bool {
        guard hasRTCP, index <= highestRTCPIndex else { return true }
        let age = highestRTCPIndex - index
        return age < 64 && rtcpWindow >> UInt64(age) & 1 == 0
    }

    /// Notes an SRTCP index that authenticated.
    mutating func recordRTCP(_ index: UInt32) {
        if !hasRTCP || index > highestRTCPIndex {
            let step = hasRTCP ? index - highestRTCPIndex : 64
            rtcpWindow = step < 64 ? rtcpWindow << UInt64(step) | 1 : 1
            highestRTCPIndex = index
            hasRTCP = true
        } else {
            rtcpWindow |= 1 << UInt64(min(63, highestRTCPIndex - index))
        }
    }
}
