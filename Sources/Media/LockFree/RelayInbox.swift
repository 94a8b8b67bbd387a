import Synchronization

// Roles
//   Any number of producers (event loops of the gateway) call `append` and `close`. One consumer, the shard whose inbox it is, calls
//   `removeFirst` and `isEmpty`.
//
// Layout
//   A bounded `MPSCQueue` of messages. Each names its way, which counts the bytes it has waiting.
//
// Ordering
//   The queue's own publishes the messages. The wake is that of the shard's command queue: `append` asks for it after the push.
//
// Progress and overflow
//   As the queue's. Full: `append` returns false and the caller counts the drop. The last places take urgent messages only; one that
//   is lost all the same costs a way that its transport's consent ends.
//
// Checked by
//   MediaTests/TURN/RelayPathTests, under the thread sanitizer.

/// What the gateway has taken in for a shard from clients of the TURN server.
final class RelayInbox: Sendable {
    enum Message: Sendable {
        case datagram(RelayPath, [UInt8])
        /// The client takes more again.
        case room(RelayPath)
        case closed(RelayPath)
    }

    static let capacity = 4096
    private static let reserve = 1024

    private let queue = MPSCQueue<Message>(capacity: RelayInbox.capacity, reserve: RelayInbox.reserve)

    /// Any thread.
    /// - Returns: whether there was place.
    func append(_ message: Message, urgent: Bool) -> Bool { queue.push(message, urgent: urgent) != .full }

    /// The oldest message; the shard only.
    func removeFirst() -> Message? { queue.pop() }

    /// Whether nothing waits; the shard only.
    var isEmpty: Bool { queue.isEmpty }
}
