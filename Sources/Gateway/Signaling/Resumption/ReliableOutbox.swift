import NIOCore
import RoundhouseRooms

/// What a session sends to its client: in order, over one channel at a time. If the client can come back, nothing is lost
/// or sent twice while it changes channels.
///
/// Lives under its session's lock and sends under it, so that the order of the numbers is the order on the wire.
struct ReliableOutbox<Encoder: OutboxEncoder> {
    var encoder: Encoder
    /// Whether the client can come back. Without that, nothing is numbered or kept.
    let isResumable: Bool
    private(set) var channel: (any SignalingChannel)?
    private var isChannelLost = false
    private var link: SignalingLink
    /// Messages made while a request is handled; they follow its response.
    private var held: [Encoder.Message]?
    /// The room closed the peer while the client was away, which learns it when it comes back.
    private var closeReason: PeerCloseReason?
    private var timer = DeadlineTimer()
    private let eventLoop: any EventLoop

    /// - Parameters:
    ///   - loan: for what is kept until the client has it.
    ///   - window: how long a client may take to open its first channel.
    init(
        _ encoder: Encoder, isResumable: Bool, limits: GatewayLimits, loan: MemoryLoan, window: Duration,
        eventLoop: any EventLoop
    ) {
        self.encoder = encoder
        self.isResumable = isResumable
        self.eventLoop = eventLoop
        var settings = SignalingLink.Settings()
        settings.retention = TimeAmount(limits.eventsWindow)
        settings.replayBytes = limits.replayBytes
        link = SignalingLink(settings, loan: loan, until: eventLoop.now + TimeAmount(window))
    }

    var isEnded: Bool { link.phase == .ended }
    var isAttached: Bool { link.isAttached }
    /// Whether the client is away and may come back.
    var isAway: Bool { !isEnded && !isAttached }
    /// Whether the client lost its channel and was not heard of since, or has not answered on it lately.
    var isUnheard: Bool { isAway && isChannelLost || channel?.isUnheard == true }
    /// Whether nothing was numbered yet.
    var isUnused: Bool { link.lastNumber == 0 }
    /// The client's messages up to this number have arrived.
    var received: UInt64 { link.received }

    // MARK: Channels

    /// The client has opened a channel: it gets `greeting`, then what it missed.
    /// - Parameters:
    ///   - acknowledged: the number of the last message the client has; 0 for none.
    ///   - acceptsLoss: `false` ends the session if something the client missed is gone.
    /// - Returns: the channel's number, the channel that it replaces, and whether the session is over, because the room
    ///   closed the peer while the client was away.
    mutating func attach(
        _ channel: any SignalingChannel, acknowledged: UInt64, acceptsLoss: Bool = true,
        greeting: (SignalingLink.Attachment) -> [String]
    ) throws(SignalingLink.Refusal) -> (number: UInt64, former: (any SignalingChannel)?, isOver: Bool) {
        let attachment = try link.attach(acknowledged: acknowledged, now: eventLoop.now)
        guard acceptsLoss || attachment.lost == nil else {
            link.end()
            throw .ended
        }
        isChannelLost = false
        defer { self.channel = channel }
        for text in greeting(attachment) { channel.send(text, number: nil) }
        for message in attachment.replay { channel.send(message.text, number: message.number) }
        if let closeReason { channel.close(closeReason) }
        return (attachment.channel, self.channel, closeReason != nil)
    }

    /// A channel has ended, and the client may come back within `window`.
    /// - Returns: `false` for a channel that was replaced.
    mutating func channelLost(_ number: UInt64, window: Duration) -> Bool {
        guard link.detach(channel: number, until: eventLoop.now + TimeAmount(window)) else { return false }
        channel = nil
        isChannelLost = true
        return true
    }

    func isCurrent(_ number: UInt64) -> Bool { link.phase == .attached(channel: number) }

    /// The client sent a request of its own, without a channel: it has this much more time.
    mutating func extend(by window: Duration) {
        isChannelLost = false
        link.extend(until: eventLoop.now + TimeAmount(window))
    }

    /// The room closed the peer: closes the channel, after what was sent.
    /// - Returns: whether the session is over; `false` if the client is away, and learns it when it comes back.
    mutating func close(_ reason: PeerCloseReason) -> Bool {
        release()
        channel?.close(reason)
        // After a replacement, or a stop of the server, there is nothing to come back to.
        if isAttached || reason == .replaced || reason == .shutdown { return true }
        closeReason = reason
        return false
    }

    /// The session is over.
    /// - Returns: the channel that was open.
    @discardableResult
    mutating func end() -> (any SignalingChannel)? {
        defer { channel = nil }
        link.end()
        held = nil
        timer.cancel()
        return channel
    }

    // MARK: To the client

    /// Holds back what `send` gets, until `release`.
    mutating func hold() { held = held ?? [] }

    /// Sends what was held back.
    mutating func release() {
        let messages = held ?? []
        held = nil
        for message in messages { emit(message) }
    }

    /// Sends a message, after the response to the request that is being handled.
    mutating func send(_ message: Encoder.Message) {
        if held == nil { emit(message) } else { held?.append(message) }
    }

    /// Sends a message at once.
    /// - Returns: its bytes.
    @discardableResult
    mutating func emit(_ message: Encoder.Message) -> Int {
        guard !isEnded else { return 0 }
        let number = isResumable && encoder.isNumbered(message) ? link.takeNumber() : nil
        let text = encoder.encode(message, number: number)
        if let number { link.sent(text, number: number, now: eventLoop.now) }
        channel?.send(text, number: number)
        return text.utf8.count
    }

    // MARK: From the client

    /// - Parameters:
    ///   - channel: what brought the message; `nil` for a request of its own.
    ///   - number: the client's number for it.
    ///   - acknowledged: the number of the last message the client has.
    /// - Returns: whether to handle it: `false` for what came before, or by a channel that was replaced.
    mutating func messageReceived(on channel: UInt64?, number: UInt64?, acknowledged: UInt64? = nil) -> Bool {
        // Without resumption these fields are the client's own.
        guard isResumable else { return link.messageReceived(channel: channel, number: nil) }
        if let acknowledged { link.acknowledged(acknowledged) }
        return link.messageReceived(channel: channel, number: number)
    }

    /// What a request was answered with, if it came before.
    func reply(to id: SignalID) -> RecordedReply? { link.reply(to: id) }

    /// Keeps a reply, in case its request comes again.
    mutating func replied(_ result: Result<JSONValue, RoomError>, to id: SignalID, bytes: Int) {
        if isResumable { link.replied(RecordedReply(result), to: id, bytes: bytes) }
    }

    // MARK: Time

    /// Sets the timer for when the client has to be back or, while it is there, for `deadline`.
    mutating func schedule(_ deadline: NIODeadline? = nil, _ fire: @escaping @Sendable () -> Void) {
        guard !isEnded, let next = isAttached ? deadline : link.deadline else { return }
        timer.schedule(next, on: eventLoop, fire)
    }

    /// The timer has fired.
    /// - Returns: whether the client has been away for too long, so that the session is over.
    mutating func timerFired() -> Bool {
        timer.fired()
        return link.timePassed(now: eventLoop.now)
    }
}
