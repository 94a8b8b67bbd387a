/// One outgoing stream: its numbers, and the messages that wait.
struct SCTPOutgoingStream {
    static let normalPriority: UInt16 = 256

    /// The first and last message that waits; -1 for none.
    var first: Int32 = -1
    var last: Int32 = -1
    /// The next ordered message's number, and the next unordered one's with interleaving.
    var nextOrdered: UInt32 = 0
    var nextUnordered: UInt32 = 0
    /// Payload that is in no packet yet, in bytes.
    var buffered = 0
    /// Its owner wants to know when `buffered` comes down to this; -1 if not at all.
    var threshold = -1
    /// Its part of what interleaved streams send (RFC 8260 §3.6): 256 is a normal one's.
    var priority = normalPriority
    /// What it may send before the next stream's turn, in bytes.
    var deficit = 0
    /// While it is being reset, messages wait.
    var isPaused = false
    var isReady = false

    /// Bytes of one turn.
    var quantum: Int { max(Int(priority), 1) * 8 }
}
