import Synchronization

// Roles
//   Any number of producers (other shards) call `append`. One consumer, the shard whose inbox it is, calls `removeFirst` and
//   `isEmpty`.
//
// Layout
//   A bounded `MPSCQueue` of messages, and one atomic number of the bytes they have.
//
// Ordering
//   The queue's own publishes the messages. The number is relaxed: it publishes nothing. It rises before a message can be
//   taken out and sinks after it was, so that it is never below zero and never less than what waits. Each producer first
//   adds and then looks: two at once may both be refused, and never both be taken where one fits.
//
// Progress and overflow
//   As the queue's. Full, by places or by bytes: `append` returns false and the caller counts the drop.
//
// Checked by
//   LockFreeTests/DataInboxTests: bounds, and "messages of several threads arrive once and in order", under the thread
//   sanitizer.

/// What other shards have sent a shard of their data producers' messages: each message once, whatever its length, and never
/// a copy of it.
final class DataInbox: Sendable {
    /// Messages that may wait.
    static let capacity = 1024
    /// Bytes that may wait.
    static let largestHeld = 16 << 20

    private let queue = MPSCQueue<DataDelivery>(capacity: DataInbox.capacity, reserve: 0)
    private let bytes = Atomic<Int>(0)

    /// Appends a message; any thread.
    /// - Returns: whether there was place.
    func append(_ delivery: DataDelivery) -> Bool {
        let count = delivery.message.payload.count
        guard bytes.add(count, ordering: .relaxed).newValue <= Self.largestHeld, queue.push(delivery) != .full else {
            bytes.subtract(count, ordering: .relaxed)
            return false
        }
        return true
    }

    /// The oldest message; the shard only.
    func removeFirst() -> DataDelivery? {
        guard let delivery = queue.pop() else { return nil }
        bytes.subtract(delivery.message.payload.count, ordering: .relaxed)
        return delivery
    }

    /// Whether nothing waits; the shard only.
    var isEmpty: Bool { queue.isEmpty }
}
