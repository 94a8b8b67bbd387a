/// The messages that an association has not done with, in places that others name by their numbers. A number is valid from
/// `insert` until the last reference is dropped.
struct SCTPMessageTable {
    private var places: [SCTPQueuedMessage] = []
    private var firstFree: Int32 = -1
    private(set) var count = 0

    subscript(index: Int32) -> SCTPQueuedMessage {
        _read { yield places[Int(index)] }
        _modify { yield &places[Int(index)] }
    }

    /// Takes a message with one reference.
    mutating func insert(_ message: SCTPQueuedMessage) -> Int32 {
        count += 1
        if firstFree >= 0 {
            let index = firstFree
            firstFree = places[Int(index)].next
            places[Int(index)] = message
            return index
        }
        places.append(message)
        return Int32(truncatingIfNeeded: places.count - 1)
    }

    /// Drops one reference; with the last one the message goes.
    mutating func release(_ index: Int32) {
        places[Int(index)].references -= 1
        guard places[Int(index)].references == 0 else { return }
        count -= 1
        if count == 0 {
            // A burst's places are given back.
            places.removeAll(keepingCapacity: places.capacity <= 16)
            firstFree = -1
            return
        }
        places[Int(index)].payload = []
        places[Int(index)].block = nil
        places[Int(index)].next = firstFree
        firstFree = index
    }
}
