import NIOCore

/// What one client may send, charged before anything of a message is read: messages, their bytes, changes that everybody
/// in a room is notified of, and messages that are none.
///
/// A machine: time is an argument. Whose messages are too many is refused those that can be refused; whose bytes are too
/// many is read more slowly.
struct SignalingAllowance: Sendable {
    struct Rates: Sendable, Equatable {
        /// Messages in a second.
        var messages: RateLimit
        /// Their bytes, with the overhead of each.
        var bytes: RateLimit
        var changes = RateLimit(perSecond: 10)
        /// Messages that are none: ten times as many at once.
        var faults = RateLimit(perSecond: 10)

        /// Four of the largest messages in a second, or as many bytes as a client may fill its messages with that are short.
        init(messagesPerSecond: Int, messageBytes: Int) {
            messages = RateLimit(perSecond: messagesPerSecond)
            let short = messages.perSecond.multipliedReportingOverflow(by: 1024).partialValue
            bytes = RateLimit(perSecond: max(messageBytes.multipliedReportingOverflow(by: 4).partialValue, short))
        }
    }

    /// What was charged for one message.
    struct Charge: Sendable, Equatable {
        var bytes: Int
        /// Whether the message was one of those that the client may send.
        var isWithinRate: Bool
        /// How long it is to wait before it is read.
        var delay: TimeAmount
    }

    /// A message counts as this many bytes more than it has: reading and answering the shortest costs something, too.
    static let overhead = 512

    let rates: Rates
    private var messages: TokenBucket
    private var bytes: TokenBucket
    private var changes: TokenBucket
    private var faults: TokenBucket

    init(_ rates: Rates, now: NIODeadline) {
        self.rates = rates
        messages = TokenBucket(rate: rates.messages, now: now)
        bytes = TokenBucket(rate: rates.bytes, now: now)
        changes = TokenBucket(rate: rates.changes, now: now)
        faults = TokenBucket(rate: rates.faults, now: now)
    }

    /// A message has come, and nothing of it is read yet.
    mutating func messageReceived(bytes count: Int, now: NIODeadline) -> Charge {
        let cost = count + Self.overhead
        return Charge(
            bytes: cost, isWithinRate: messages.take(rates.messages, now: now) == nil,
            delay: bytes.borrow(cost, rates.bytes, now: now))
    }

    /// Bytes have come that carry any number of messages; these are charged one by one, by `oneMoreMessage`.
    mutating func bytesReceived(_ count: Int, now: NIODeadline) -> TimeAmount {
        bytes.borrow(count + Self.overhead, rates.bytes, now: now)
    }

    /// - Returns: whether the client may send it.
    mutating func oneMoreMessage(now: NIODeadline) -> Bool { messages.take(rates.messages, now: now) == nil }

    /// An answer longer than twice its request is charged for the rest, so that it is asked for no more often than its bytes may
    /// be sent.
    mutating func answered(bytes count: Int, to request: Int, now: NIODeadline) {
        let rest = count - 2 * request
        if rest > 0 { _ = bytes.borrow(rest, rates.bytes, now: now) }
    }

    /// It was what the server had asked for: nobody sends more of these than were wanted.
    mutating func giveBack(_ charge: Charge) {
        bytes.giveBack(charge.bytes, rates.bytes)
        if charge.isWithinRate { messages.giveBack(1, rates.messages) }
    }

    /// It is not read at all; but as one of the client's messages it counts, so that asking again and again is not free.
    mutating func giveBackBytes(of charge: Charge) { bytes.giveBack(charge.bytes, rates.bytes) }

    /// A message beyond the rate that cannot be refused with an error waits for its turn instead.
    mutating func messageHeldBack(now: NIODeadline) -> TimeAmount { messages.borrow(1, rates.messages, now: now) }

    /// The client changes something that everybody in its room is notified of.
    /// - Returns: how long that has to wait.
    mutating func changeRequested(now: NIODeadline) -> TimeAmount { changes.borrow(1, rates.changes, now: now) }

    /// The same for a change that can be refused.
    /// - Returns: whether the client may make it.
    mutating func oneMoreChange(now: NIODeadline) -> Bool { changes.take(rates.changes, now: now) == nil }

    /// A message was none.
    /// - Returns: whether it was one too many.
    mutating func faultReceived(now: NIODeadline) -> Bool { faults.take(rates.faults, now: now) != nil }
}
