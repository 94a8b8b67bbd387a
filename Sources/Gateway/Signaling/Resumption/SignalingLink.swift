import NIOCore

/// What a signaling session keeps so that a client whose connection breaks can go on where it was: the numbers of the
/// messages in both directions, what was sent and may not have arrived, and the replies to requests.
///
/// A machine: facts and the time in, what to do out. Connections ("channels") are numbered here, so that what an older one
/// still brings is not taken for the newest one's.
struct SignalingLink {
    struct Settings: Sendable {
        /// How long a message that was sent may be asked for again while the client is connected.
        var retention = TimeAmount.seconds(60)
        /// Bytes of such messages; beyond them the oldest are given up.
        var replayBytes = 1_048_576
        /// Replies that are kept for requests that come again, and their bytes.
        var recordedReplies = 256
        var recordedBytes = 1_048_576
    }

    enum Phase: Equatable {
        /// On the channel of this number.
        case attached(channel: UInt64)
        /// The client may come back until then.
        case detached(until: NIODeadline)
        /// The session is over.
        case ended
    }

    /// A message to the client, with its number in it.
    struct Message: Equatable {
        var number: UInt64
        var text: String
    }

    /// What a client that comes back is owed.
    struct Attachment: Equatable {
        var channel: UInt64
        /// Its messages up to this number have arrived: it sends those after it again.
        var received: UInt64
        /// To be sent again, in order.
        var replay: [Message]
        /// What cannot be: the client has been away for too long, or too much was sent meanwhile.
        var lost: ClosedRange<UInt64>?
    }

    enum Refusal: Error {
        case ended
        /// The client has messages that were never sent: its session was another one.
        case notThisSession
    }

    private struct Sent {
        var message: Message
        var at: NIODeadline

        var bytes: Int { message.text.utf8.count + SignalingLink.overhead }
    }

    private let settings: Settings
    private(set) var phase: Phase
    private var lastChannel: UInt64 = 0
    private var kept: CircularBuffer<Sent> = []
    private var keptBytes: BorrowedBytes
    /// Of the messages sent to the client.
    private(set) var lastNumber: UInt64 = 0
    /// The client's messages up to this number have arrived.
    private(set) var received: UInt64 = 0
    private var replies: [SignalID: RecordedReply] = [:]
    private var replyOrder: CircularBuffer<SignalID> = []
    private var replyBytes: BorrowedBytes

    /// A message counts as this many bytes more than its text.
    private static let overhead = 64

    /// A session that waits for its first channel.
    /// - Parameter loan: for messages and replies that are kept; where it gives no more, the oldest are given up.
    init(_ settings: Settings = Settings(), loan: MemoryLoan, until deadline: NIODeadline) {
        self.settings = settings
        keptBytes = BorrowedBytes(loan)
        replyBytes = BorrowedBytes(loan)
        phase = .detached(until: deadline)
    }

    // MARK: Channels

    /// A client has come, or come back.
    /// - Parameter acknowledged: the number of the last message it has; 0 for none.
    mutating func attach(acknowledged: UInt64, now: NIODeadline) throws(Refusal) -> Attachment {
        guard phase != .ended else { throw .ended }
        guard acknowledged <= lastNumber else { throw .notThisSession }
        // Not forgotten by `acknowledged(_:)` alone: a client that asks from the beginning again may have it.
        let lost: ClosedRange<UInt64>?
        if let first = kept.first?.message.number ?? (lastNumber > acknowledged ? lastNumber + 1 : nil),
            first > acknowledged + 1
        {
            lost = acknowledged + 1...first - 1
        } else {
            lost = nil
        }
        let replay = kept.map(\.message).filter { $0.number > acknowledged }
        lastChannel += 1
        phase = .attached(channel: lastChannel)
        return Attachment(channel: lastChannel, received: received, replay: replay, lost: lost)
    }

    /// A channel has ended.
    /// - Returns: `false` for one whose place another has taken.
    mutating func detach(channel: UInt64, until deadline: NIODeadline) -> Bool {
        guard phase == .attached(channel: channel) else { return false }
        phase = .detached(until: deadline)
        return true
    }

    /// The client sent something without a channel: it has time until `deadline` to open one.
    mutating func extend(until deadline: NIODeadline) {
        if case .detached(let present) = phase { phase = .detached(until: max(present, deadline)) }
    }

    mutating func end() {
        phase = .ended
        forget { _ in true }
        while !replyOrder.isEmpty { forgetFirstReply() }
    }

    /// When a client that is away has been so for too long.
    var deadline: NIODeadline? {
        if case .detached(let until) = phase { until } else { nil }
    }

    var isAttached: Bool {
        if case .attached = phase { true } else { false }
    }

    /// - Returns: whether the session is over now.
    mutating func timePassed(now: NIODeadline) -> Bool {
        guard let deadline, deadline <= now else { return false }
        end()
        return true
    }

    // MARK: To the client

    /// Numbers the next message.
    mutating func takeNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    /// Keeps a message that has its number.
    mutating func sent(_ text: String, number: UInt64, now: NIODeadline) {
        guard phase != .ended else { return }
        let retention = settings.retention
        if isAttached { forget { $0.at + retention <= now } }
        let sent = Sent(message: Message(number: number, text: text), at: now)
        while keptBytes.count + sent.bytes > settings.replayBytes || !keptBytes.add(sent.bytes) {
            // One that cannot be kept is lost to a client that comes back, like those that were given up.
            guard !kept.isEmpty else { return }
            forgetFirst()
        }
        kept.append(sent)
    }

    /// The client has everything up to this number.
    mutating func acknowledged(_ number: UInt64) { forget { $0.message.number <= number } }

    private mutating func forget(while condition: (Sent) -> Bool) {
        while let first = kept.first, condition(first) { forgetFirst() }
    }

    private mutating func forgetFirst() {
        keptBytes.remove(kept.removeFirst().bytes)
    }

    private mutating func forgetFirstReply() {
        guard let oldest = replyOrder.popFirst(), let reply = replies.removeValue(forKey: oldest) else { return }
        replyBytes.remove(reply.bytes)
    }

    // MARK: From the client

    /// A message has come in.
    /// - Parameters:
    ///   - channel: what brought it; `nil` for a request of its own.
    ///   - number: the client's, if it numbers them.
    /// - Returns: whether it is to be acted upon: not what came before, nor by a channel that was left.
    mutating func messageReceived(channel: UInt64?, number: UInt64?) -> Bool {
        if let channel, phase != .attached(channel: channel) { return false }
        guard phase != .ended else { return false }
        guard let number else { return true }
        guard number > received else { return false }
        received = number
        return true
    }

    /// What a request of this id was answered with, if it came before.
    func reply(to id: SignalID) -> RecordedReply? { replies[id] }

    mutating func replied(_ reply: RecordedReply, to id: SignalID, bytes: Int) {
        guard replies[id] == nil else { return }
        var reply = reply
        reply.bytes = bytes + Self.overhead
        if replyOrder.count >= settings.recordedReplies { forgetFirstReply() }
        while replyBytes.count + reply.bytes > settings.recordedBytes || !replyBytes.add(reply.bytes) {
            guard !replyOrder.isEmpty else { return }
            forgetFirstReply()
        }
        replies[id] = reply
        replyOrder.append(id)
    }
}
