/// Up to eight tuples, newest first, in place: looking one up touches no reference count.
struct TupleList: Sendable {
    /// More than a client has interfaces times our candidates.
    static let capacity = 8

    private var storage: InlineArray<8, CheckedTuple>
    private(set) var count = 1

    /// A list is never made empty; it becomes so when its last tuple goes.
    init(_ first: CheckedTuple) { storage = InlineArray(repeating: first) }

    /// - Parameter index: 0..<`count`.
    subscript(index: Int) -> CheckedTuple {
        get { storage[index] }
        set { storage[index] = newValue }
    }

    func firstIndex(of tuple: TupleID) -> Int? {
        for index in 0..<count where storage[index].id == tuple { return index }
        return nil
    }

    /// The one that was heard last; of several the newest. Zero in an empty list.
    var newestHeardIndex: Int {
        var newest = 0
        for index in 0..<count where storage[newest].heard < storage[index].heard { newest = index }
        return newest
    }

    /// Puts a tuple that is not in the list first. Over the capacity, the one that has been silent for longest and is
    /// not `kept` makes room; of several the oldest.
    /// - Returns: the tuple that was dropped.
    mutating func insertFirst(_ tuple: CheckedTuple, keeping kept: TupleID?) -> TupleID? {
        var dropped: TupleID?
        if count == Self.capacity {
            var silent = storage[count - 1].id == kept ? count - 2 : count - 1
            for index in stride(from: silent - 1, through: 0, by: -1)
            where storage[index].id != kept && storage[index].heard < storage[silent].heard { silent = index }
            dropped = storage[silent].id
            remove(at: silent)
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

// MARK: Snapshot

extension TupleList: Restorable {
    init(restoring reader: inout SnapshotReader) throws(WireError) {
        let tuples = try reader.readCount(atMost: Self.capacity)
        guard tuples > 0 else { throw .malformed }
        self.init(try reader.read())
        for index in 1..<tuples {
            let tuple: CheckedTuple = try reader.read()
            guard firstIndex(of: tuple.id) == nil else { throw .malformed }
            storage[index] = tuple
            count = index + 1
        }
    }

    /// A list that is not empty.
    func write(to writer: inout SnapshotWriter) {
        writer.writeCount(count)
        for index in 0..<count { writer.write(storage[index]) }
    }
}
