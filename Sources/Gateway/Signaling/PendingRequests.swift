import NIOCore

/// Requests of the server that wait for one client's answer.
///
/// A machine: every request has the same timeout, so they expire in the order in which they were made.
struct PendingRequests<Waiter> {
    private let timeout: TimeAmount
    private let limit: Int
    private var waiters: [UInt32: Waiter] = [:]
    /// May hold requests that were answered since; they are skipped.
    private var deadlines: CircularBuffer<(deadline: NIODeadline, id: UInt32)> = []
    private var lastID: UInt32
    private let firstID: UInt32

    /// - Parameter firstID: any number; ids must not repeat within a connection.
    init(timeout: TimeAmount, limit: Int, firstID: UInt32) {
        self.timeout = timeout
        self.limit = limit
        lastID = firstID
        self.firstID = firstID
    }

    var count: Int { waiters.count }

    /// Whether a request of this id was ever made: an answer may come when nobody waits any more.
    func wasMade(_ id: UInt32) -> Bool { id &- firstID &- 1 < lastID &- firstID }

    /// - Returns: the request's id; `nil` when too many wait already.
    mutating func add(_ waiter: Waiter, now: NIODeadline) -> UInt32? {
        guard waiters.count < limit else { return nil }
        repeat { lastID &+= 1 } while waiters[lastID] != nil
        waiters[lastID] = waiter
        deadlines.append((now + timeout, lastID))
        return lastID
    }

    /// - Returns: who waited for it; `nil` for an id that nobody waits for (any more).
    mutating func answerReceived(_ id: UInt32) -> Waiter? {
        let waiter = waiters.removeValue(forKey: id)
        skipAnswered()
        return waiter
    }

    /// - Returns: those that timed out.
    mutating func expire(now: NIODeadline) -> [Waiter] {
        var expired: [Waiter] = []
        while let first = deadlines.first, first.deadline <= now || waiters[first.id] == nil {
            deadlines.removeFirst()
            if let waiter = waiters.removeValue(forKey: first.id) { expired.append(waiter) }
        }
        return expired
    }

    /// Restarts the timeout of every request that still waits.
    mutating func restart(now: NIODeadline) {
        // In the order in which they were made: their ids wrap, and the queue does not.
        let ids = deadlines.map(\.id).filter { waiters[$0] != nil }
        deadlines = CircularBuffer(ids.map { (now + timeout, $0) })
    }

    var nextDeadline: NIODeadline? { deadlines.first?.deadline }

    /// The connection is gone.
    mutating func removeAll() -> [Waiter] {
        defer {
            waiters = [:]
            deadlines = []
        }
        return Array(waiters.values)
    }

    private mutating func skipAnswered() {
        while let first = deadlines.first, waiters[first.id] == nil { deadlines.removeFirst() }
    }
}
