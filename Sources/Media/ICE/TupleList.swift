/// Up to eight tuples, newest first, in place: looking one up for every packet touches no reference count.
struct TupleList: Sendable {
    /// More than a client has interfaces times our candidates.
    static let capacity = 8

    private var storage = InlineArray<8, TupleID>(repeating: TupleID(0))
    private(set) var count = 1

    /// A list is never made empty; it becomes so when its last tuple goes.
    init(_ first: TupleID) { storage[0] = first }

    var first: TupleID? { count > 0 ? storage[0] : nil }

    /// - Parameter index: 0..<`count`.
    subscript(index: Int) -> TupleID { storage[index] }

    func firstIndex(of tuple: TupleID) -> Int? {
        for index in 0..<count where storage[index] == tuple { return index }
        return nil
    }

    /// Puts a tuple that is not in the list first. Over the capacity, the oldest that is not `kept` makes room.
    /// - Returns: the tuple that was dropped.
    mutating func insertFirst(_ tuple: TupleID, keeping kept: TupleID) -> TupleID? {
        var dropped: TupleID?
        if count == Self.capacity {
            let oldest = storage[count - 1] == kept ? count - 2 : count - 1
            dropped = storage[oldest]
            remove(at: oldest)
        }
        for index in stride(from: count, to: 0, by: -1) { storage[index] = storage[index - 1] }
        storage[0] = tuple
        count += 1
        return dropped
    }

    mutating func remove(at index: Int) {
        guard (0..<count).contains(index) else { return }
        count -= 1
        for later in index..<count { storage[later] = storage[later + 1] }
    }
}
