/// Finds a tuple's number by its address pair.
///
/// Open addressing with linear probing, keys in place: one cache line or two per look-up. The table doubles until
/// `limit` and then refuses, so that a flood of addresses cannot take the memory.
struct TupleTable {
    /// A local socket and a remote address.
    struct Key: Hashable {
        var remote: IPAddressPort
        var socket: UInt16
    }

    private enum Slot {
        case empty
        case removed
        case used(Key, number: Int32)
    }

    private var slots: [Slot]
    private(set) var count = 0
    /// Used and removed slots: what a probe may have to pass.
    private var filledCount = 0
    private let limit: Int

    /// - Parameter limit: most tuples at once.
    init(limit: Int = 1 << 20) {
        slots = [Slot](repeating: .empty, count: 256)
        self.limit = limit
    }

    /// The number stored for a tuple, if it is known.
    func find(_ key: Key) -> Int? {
        var index = start(of: key)
        while true {
            switch slots[index] {
            case .empty: return nil
            case .used(key, let number): return Int(number)
            case .used, .removed: index = (index + 1) & (slots.count - 1)
            }
        }
    }

    /// Adds a tuple that is not in the table; `false` when the table is full.
    mutating func insert(_ key: Key, number: Int) -> Bool {
        guard count < limit else { return false }
        if (filledCount + 1) * 4 > slots.count * 3 { rebuild() }
        var index = start(of: key)
        while case .used = slots[index] { index = (index + 1) & (slots.count - 1) }
        if case .empty = slots[index] { filledCount += 1 }
        slots[index] = .used(key, number: Int32(truncatingIfNeeded: number))
        count += 1
        return true
    }

    mutating func remove(_ key: Key) {
        var index = start(of: key)
        while true {
            switch slots[index] {
            case .empty: return
            case .used(key, _):
                slots[index] = .removed
                count -= 1
                return
            case .used, .removed: index = (index + 1) & (slots.count - 1)
            }
        }
    }

    /// Not `Hasher`: its strength against chosen keys costs 20 ns, and `limit` bounds what chosen addresses can do.
    private func start(of key: Key) -> Int {
        let ports = UInt64(key.remote.port) << 16 | UInt64(key.socket)
        var hash = (key.remote.low ^ (ports &* 0x9E37_79B9_7F4A_7C15)) &* 0xBF58_476D_1CE4_E5B9
        hash ^= (hash >> 29) ^ (key.remote.high &* 0x94D0_49BB_1331_11EB)
        hash = hash &* 0x94D0_49BB_1331_11EB
        return Int(truncatingIfNeeded: hash >> 32) & (slots.count - 1)
    }

    private mutating func rebuild() {
        let old = slots
        let size = count * 2 > slots.count ? slots.count * 2 : slots.count
        slots = [Slot](repeating: .empty, count: size)
        count = 0
        filledCount = 0
        for case .used(let key, let number) in old { _ = insert(key, number: Int(number)) }
    }
}
