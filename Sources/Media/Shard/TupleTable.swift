/// Finds a tuple's number by its address pair.
///
/// Open addressing with linear probing, keys in place: one cache line or two per look-up. The table doubles until
/// `limit` and then refuses, so that a flood of addresses cannot take the memory. Where a search begins depends on a secret:
/// whoever chooses addresses, which in an IPv6 network are many, cannot choose them to begin at one place.
struct TupleTable {
    /// A local socket and a remote address.
    struct Key: Hashable {
        var remote: IPAddressPort
        var socket: UInt16

        @inline(__always)
        func hash(_ secret: HashSecret) -> UInt64 {
            secret.hash(remote.high, remote.low, UInt64(remote.port) << 16 | UInt64(socket))
        }
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
    private let secret: HashSecret

    /// - Parameter limit: most tuples at once.
    init(secret: HashSecret, limit: Int = 1 << 20) {
        slots = [Slot](repeating: .empty, count: 256)
        self.secret = secret
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

    @inline(__always)
    private func start(of key: Key) -> Int {
        Int(truncatingIfNeeded: key.hash(secret)) & (slots.count - 1)
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
