/// One SCTP association (RFC 9260) over a record layer that keeps packets apart, such as DTLS (RFC 8261): one path, no
/// addresses. `SCTPState` shows its life; data channels are `DataChannels`, on top of it.
///
/// Feed it every packet, message and deadline; after each poll `pollTransmit(into:at:)` and `pollEvent()` until `nil`:
/// then nothing new comes until the next input or `nextDeadline`. What it holds for its peer is bounded by the receive
/// window, and for its owner by the send buffer. A peer that has shown no valid cookie is remembered by nothing.
struct SCTPAssociation: ~Copyable {
    /// What both sides agreed on.
    struct Peer: Hashable {
        var tag: UInt32
        var initialTSN: TSN
        var window: UInt32
        /// What both can do.
        var capabilities: SCTPCapabilities
        /// Streams that may be sent on, and that the peer may send on.
        var outgoingStreams: UInt16
        var incomingStreams: UInt16
    }

    /// A packet of the handshake, or of the end, that is repeated until it is answered.
    struct Repetition: Hashable {
        var isDue: Bool
        var deadline: MediaInstant
        var count: UInt16
    }

    /// A sign of life that was asked for (RFC 9260 §8.3).
    struct Heartbeat: Hashable {
        var nonce: UInt64
        var sentAt: MediaInstant
        var deadline: MediaInstant
    }

    let settings: SCTPSettings
    /// For cookies and for numbers that nobody is to guess.
    let key: HMACSHA1Key
    var drawn: UInt64 = 0
    var state = SCTPState.closed
    /// It has ended, and takes no messages until the peer begins again.
    var isOver = false
    /// Ours: in use from COOKIE-WAIT on.
    var localTag: UInt32 = 0
    var localInitialTSN = TSN(0)
    /// From COOKIE-ECHOED on.
    var peer: Peer?
    /// What is echoed in COOKIE-ECHOED.
    var cookie: [UInt8] = []
    /// T1 (INIT, COOKIE ECHO) and T2 (SHUTDOWN, SHUTDOWN ACK).
    var repetition: Repetition?
    var sender: SCTPSender
    var receiver: SCTPReceiver
    var resets: SCTPStreamResets
    var heartbeat: Heartbeat?
    var nextHeartbeat: MediaInstant?
    var handshakeQuota = SCTPQuota(perSecond: 5)
    var answerQuota = SCTPQuota(perSecond: 10)
    /// Pages open and close channels by the dozen; a request costs little.
    var resetQuota = SCTPQuota(perSecond: 100)
    var counters = SCTPCounters()
    /// Whole packets that answer others.
    var replies = DatagramQueue()
    var events = SCTPEventQueue()

    /// - Parameter secret: at least 16 random bytes that belong to this association or its process.
    init(settings: SCTPSettings = SCTPSettings(), secret: HMACSHA1Key) {
        self.settings = settings
        key = secret
        sender = SCTPSender(settings: settings)
        receiver = SCTPReceiver(first: TSN(0), isInterleaved: false, settings: settings)
        resets = SCTPStreamResets(first: TSN(0), peerFirst: TSN(0))
    }

    /// A number that nobody can guess, never 0.
    mutating func draw() -> UInt32 {
        drawn &+= 1
        var hash = key.begin()
        for shift in stride(from: UInt64(0), to: 64, by: 8) { hash.update(UInt8(truncatingIfNeeded: drawn >> shift)) }
        let digest = key.finish(hash)
        return digest.words[0] == 0 ? 1 : digest.words[0]
    }

    // MARK: The owner's wishes

    /// Begins the handshake. Both sides may: what comes of it is one association.
    mutating func connect(at now: MediaInstant) {
        guard state == .closed else { return }
        isOver = false
        localTag = draw()
        localInitialTSN = TSN(draw())
        state = .cookieWait
        repetition = Repetition(isDue: true, deadline: now + handshakeTimeout(0), count: 0)
    }

    /// Takes a message. It waits until the association is established, and is sent as soon as the path allows.
    /// - Parameters:
    ///   - reliability: `lifetime` counts from here.
    ///   - block: let go when no chunk of the message is needed any more.
    mutating func send(
        _ message: SCTPMessage, reliability: SCTPReliability = .reliable, block: DataBlock? = nil,
        at now: MediaInstant
    ) -> SCTPSendResult {
        guard state.takesMessages, !isOver else { return .closed }
        let streams = peer?.outgoingStreams ?? settings.outgoingStreams
        guard message.stream < streams else { return .noSuchStream }
        return sender.enqueue(message, reliability, block: block, at: now)
    }

    /// Payload that waits in all, or on one stream, and is in no packet yet, in bytes.
    var bufferedAmount: Int { sender.queue.buffered }
    func bufferedAmount(on stream: UInt16) -> Int { sender.queue.buffered(on: stream) }

    /// `bufferedAmountLow` comes when what waits on the stream comes down to this. It never comes for a stream without one.
    mutating func setBufferedAmountLowThreshold(_ bytes: UInt32, of stream: UInt16) {
        sender.queue.setThreshold(Int(min(bytes, 1 << 30)), of: stream)
    }

    /// With interleaving, a stream's part of what is sent: 256 is normal (RFC 8831 §6.4).
    mutating func setPriority(_ priority: UInt16, of stream: UInt16) { sender.queue.setPriority(priority, of: stream) }

    /// Lets messages of a stream wait until `release(_:)`. A new or restarted association holds none.
    mutating func hold(_ stream: UInt16) { sender.queue.pause(stream) }

    mutating func release(_ stream: UInt16) { sender.queue.resume(stream, isReset: false) }

    /// Ends it in order: what waits is sent first.
    mutating func shutDown(at now: MediaInstant) {
        guard state == .established else {
            if !state.isSynchronized { abort(.aborted, cause: SCTPErrorCause.userAbort, at: now) }
            return
        }
        state = .shutdownPending
        progress(at: now)
    }

    /// Ends it at once.
    mutating func abort(at now: MediaInstant) { abort(.aborted, cause: SCTPErrorCause.userAbort, at: now) }

    /// What has happened, oldest first.
    mutating func pollEvent() -> SCTPEvent? { events.removeFirst() }

    // MARK: The end

    /// Says so to the peer, if there is one, and ends.
    mutating func abort(_ end: SCTPEnd, cause: UInt16, at now: MediaInstant) {
        if let peer {
            reply(tag: peer.tag) { (writer) throws(WireError) in
                try writer.beginChunk(.abort)
                try writer.endParameter(try writer.beginParameter(cause))
                try writer.endChunk()
            }
        }
        finish(end)
    }

    /// Forgets everything but what still has to go out.
    mutating func finish(_ end: SCTPEnd) {
        let isNews = state != .closed || !isOver
        state = .closed
        isOver = true
        peer = nil
        cookie = []
        repetition = nil
        heartbeat = nil
        nextHeartbeat = nil
        sender = SCTPSender(settings: settings)
        receiver = SCTPReceiver(first: TSN(0), isInterleaved: false, settings: settings)
        resets = SCTPStreamResets(first: TSN(0), peerFirst: TSN(0))
        if isNews { events.append(.closed(end)) }
    }

    /// A packet of its own, for what is answered at once. Beyond what the queue holds it is dropped.
    mutating func reply(tag: UInt32, _ body: (inout SCTPPacketWriter) throws(WireError) -> Void) {
        let packet = SCTPPacketWriter.packet(
            limit: settings.maximumPacket, from: settings.localPort, to: settings.remotePort, tag: tag, body)
        if let packet { _ = replies.append(packet) }
    }

    // MARK: Figures

    var outgoingStreams: UInt16 { peer?.outgoingStreams ?? settings.outgoingStreams }
    var incomingStreams: UInt16 { peer?.incomingStreams ?? settings.incomingStreams }
    var roundTrip: MediaDuration? { sender.timeout.roundTrip }
    /// Bytes that may be under way, and that are.
    var congestionWindow: Int { Int(sender.congestion.window) }
    var flight: Int { sender.outstanding.flight }
    /// What waits to be put together or in order, with overhead, in bytes.
    var heldBytes: Int { receiver.held }
    var heldLimit: Int { receiver.limit }
    /// Messages whose time was over before they were sent, and that were given up after a part of them was.
    var expiredMessages: UInt64 { sender.queue.expired }
    var abandonedMessages: UInt64 { sender.abandonedCount }
    var retransmittedChunks: UInt64 { sender.retransmittedCount }
    var oversizeMessages: UInt64 { receiver.reassembly.oversize }
}
