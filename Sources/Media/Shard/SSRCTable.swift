/// Finds a stream by SSRC: open addressing over a few dozen entries at most, keys in place.
struct SSRCTable<Value> {
    private struct Slot {
        var ssrc: UInt32 = 0
        var value: Value?
    }

    private var slots: [Slot] = []
    private(set) var count = 0

    /// The value stored for an SSRC.
    func find(_ ssrc: UInt32) -> Value? {
        guard count > 0 else { return nil }
        var index = start(of: ssrc)
        while let value = slots[index].value {
            if slots[index].ssrc == ssrc { return value }
            index = (index + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Adds or replaces.
    mutating func insert(_ ssrc: UInt32, _ value: Value) {
        if (count + 1) * 2 > slots.count { grow() }
        var index = start(of: ssrc)
        while slots[index].value != nil, slots[index].ssrc != ssrc { index = (index + 1) & (slots.count - 1) }
        if slots[index].value == nil { count += 1 }
        slots[index] = Slot(ssrc: ssrc, value: value)
    }

    /// Everything in the table, by SSRC.
    var entries: [(ssrc: UInt32, value: Value)] {
        slots.compactMap { slot in slot.value.map { (slot.ssrc, $0) } }.sorted { $0.0 < $1.0 }
    }

    mutating func remove(_ ssrc: UInt32) { removeAll { key, _ in key == ssrc } }

    /// Removes every entry for which `condition` holds; rebuilds the table, so not for the packet path.
    mutating func removeAll(where condition: (UInt32, Value) -> Bool) {
        let old = slots
        slots = [Slot](repeating: Slot(), count: old.count)
        count = 0
        for slot in old {
            if let value = slot.value, !condition(slot.ssrc, value) { insert(slot.ssrc, value) }
        }
    }

    /// Multiplicative hashing: SSRCs are random, or chosen by a sender who can only slow down its own transport.
    private func start(of ssrc: UInt32) -> Int {
        Int(truncatingIfNeeded: (UInt64(ssrc) &* 0x9E37_79B9_7F4A_7C15) >> 40) & (slots.count - 1)
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: max(8, old.count * 2))
        count = 0
        for slot in old {
            if let value = slot.value { insert(slot.ssrc, value) }
        }
    }
}
