import NIOCore
import NIOWebSocket
import RoundhouseRooms

/// The channel's end of a `WebSocketConnection`: frames, heartbeat, closing handshake, back-pressure.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundIn = Never
    typealias OutboundOut = WebSocketFrame

    private enum State {
        case open
        /// Our close frame is out; the client's, or the deadline, ends the connection.
        case closing
        case closed
    }

    private let limits: GatewayLimits
    private let counters: GatewayCounters
    private let ready: (WebSocketConnection) -> Void
    private var reader: WebSocketReader
    private let (incoming, outgoing): (MemoryLoan, MemoryLoan)
    /// Of a message whose end has not come.
    private var unfinished: BorrowedBytes
    private var state = State.open
    private var connection: WebSocketConnection?
    private var context: ChannelHandlerContext?
    private var lastHeard = NIODeadline.uptimeNanoseconds(0)
    private var isReadHeld = false
    /// Whether it was pinged and has not answered yet.
    private var isPinged = false
    private let heartbeats: HeartbeatSchedules

    /// - Parameters:
    ///   - incoming: for what came of the client and is not carried out yet.
    ///   - outgoing: for what waits for it.
    ///   - heartbeats: the server's.
    ///   - ready: given the connection as soon as the handler is in the pipeline.
    init(
        limits: GatewayLimits, counters: GatewayCounters, incoming: MemoryLoan, outgoing: MemoryLoan,
        heartbeats: HeartbeatSchedules = HeartbeatSchedules(), ready: @escaping (WebSocketConnection) -> Void
    ) {
        self.limits = limits
        (self.incoming, self.outgoing) = (incoming, outgoing)
        unfinished = BorrowedBytes(incoming)
        self.counters = counters
        self.heartbeats = heartbeats
        self.ready = ready
        reader = WebSocketReader(messageLimit: limits.messageBytes)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let eventLoop = context.eventLoop
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let gate = WebSocketReadGate(
            eventLoop: eventLoop, resume: { bound.value.resumeReading() },
            terminated: { bound.value.beginClosing(.goingAway, "") })
        let connection = WebSocketConnection(
            channel: context.channel, outgoingLimit: limits.outgoingBytes,
            answerTime: TimeAmount((limits.silenceTimeout - limits.pingInterval) / 2), incoming: incoming,
            outgoing: outgoing, gate: gate,
            wake: { bound.value.writeOutgoing() })
        self.connection = connection
        lastHeard = eventLoop.now
        scheduleHeartbeat(at: pingDue(after: lastHeard))
        ready(connection)
    }

    func handlerRemoved(context: ChannelHandlerContext) { ended() }

    func channelInactive(context: ChannelHandlerContext) {
        ended()
        context.fireChannelInactive()
    }

    // MARK: Receiving

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastHeard = context.eventLoop.now
        if isPinged {
            isPinged = false
            connection?.setPinged(at: nil)
        }
        let frame = unwrapInboundIn(data)
        switch state {
        case .closed: return
        case .closing:
            // Whatever else arrives is too late; their close frame ends the handshake (RFC 6455 §7.1.1).
            if frame.opcode == .connectionClose { context.close(promise: nil) }
            return
        case .open: break
        }
        let action = reader.frameReceived(frame)
        guard unfinished.resize(to: reader.unfinishedBytes) else { return refuseMemory() }
        switch action {
        case .none: break
        case .message(let text): if connection?.messageReceived(text) == false { refuseMemory() }
        case .pong(let payload):
            let cost = payload.readableBytes + WebSocketConnection.overheadPerMessage
            // A client that pings and does not read.
            guard connection?.reserve(cost) == true else { return context.close(promise: nil) }
            write(WebSocketFrame(fin: true, opcode: .pong, data: payload), cost: cost)
            context.flush()
        case .close(let code):
            counters.webSocketClosed(code)
            answerClose(code)
        case .fail(let code, let reason): beginClosing(code, reason)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch (state, error) {
        case (.open, NIOWebSocketError.invalidFrameLength):
            beginClosing(.messageTooLarge, "the message is longer than \(limits.messageBytes) bytes")
        case (.open, is MemoryRefused): refuseMemory()
        case (.open, is NIOWebSocketError): beginClosing(.protocolError, "a broken frame")
        case (.open, _): context.close(promise: nil)
        // The decoder repeats its error for bytes that follow the one it failed at; the deadline ends this.
        case (.closing, _), (.closed, _): break
        }
    }

    private func forgetUnfinished() {
        reader.close()
        _ = unfinished.resize(to: 0)
    }

    private func refuseMemory() { beginClosing(.tryAgainLater, RoomError.outOfMemory.message) }

    func read(context: ChannelHandlerContext) {
        if connection?.isReadable ?? true || state != .open { context.read() } else { isReadHeld = true }
    }

    private func resumeReading() {
        guard isReadHeld else { return }
        isReadHeld = false
        context?.read()
    }

    // MARK: Sending

    private func writeOutgoing() {
        guard case .open = state, let connection, let context else { return }
        guard let items = connection.takeOutgoing() else {
            // It does not read: a close frame would wait behind what it has not read.
            context.close(promise: nil)
            return
        }
        for item in items {
            guard case .open = state else { break }
            switch item {
            case .text(let text):
                write(
                    WebSocketFrame(fin: true, opcode: .text, data: context.channel.allocator.buffer(string: text)),
                    cost: WebSocketConnection.cost(of: item))
            case .close(let code, let reason): beginClosing(code, reason)
            }
        }
        context.flush()
    }

    private func write(_ frame: WebSocketFrame, cost: Int) {
        guard let context else { return }
        guard cost > 0, let connection else { return context.write(wrapOutboundOut(frame), promise: nil) }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { _ in connection.outgoingWritten(bytes: cost) }
        context.write(wrapOutboundOut(frame), promise: promise)
    }

    // MARK: Closing

    private func beginClosing(_ code: WebSocketCloseCode, _ reason: String) {
        guard case .open = state, let context else { return }
        counters.webSocketClosed(code)
        if code == .messageTooLarge { counters.limited(.messageSize) }
        writeClose(code, reason, on: context)
        state = .closing
        // What this client still sends is dropped.
        forgetUnfinished()
        connection?.closed(.closedByServer)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: TimeAmount(limits.closeTimeout)) {
            bound.value.context?.close(promise: nil)
        }
        resumeReading()
    }

    /// The client's close frame is answered with its own code, if it had one, and the server ends the connection (RFC 6455 §7.1.1).
    private func answerClose(_ code: WebSocketCloseCode) {
        guard let context else { return }
        state = .closing
        connection?.closed(.closedByClient(code))
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        writeClose(code == .noStatus ? .normal : code, "", on: context).whenComplete { _ in
            bound.value.close(promise: nil)
        }
    }

    @discardableResult
    private func writeClose(
        _ code: WebSocketCloseCode, _ reason: String, on context: ChannelHandlerContext
    ) -> EventLoopFuture<Void> {
        var payload = context.channel.allocator.buffer(capacity: 125)
        payload.writeInteger(code.rawValue)
        var cut = Substring(reason)
        while cut.utf8.count > 123 { cut.removeLast() }
        payload.writeSubstring(cut)
        return context.writeAndFlush(
            wrapOutboundOut(WebSocketFrame(fin: true, opcode: .connectionClose, data: payload)))
    }

    private func ended() {
        if case .open = state { counters.webSocketClosed(.abnormal) }
        guard state != .closed else { return }
        state = .closed
        forgetUnfinished()
        connection?.closed(.lost)
        connection = nil
        context = nil
    }

    // MARK: Heartbeat

    private func scheduleHeartbeat(at deadline: NIODeadline) {
        guard let context else { return }
        heartbeats.schedule(of: context.eventLoop).add(self, at: deadline)
    }

    /// When a client that was heard then is pinged, if it stays silent: on a grid, so that a loop with thousands of silent
    /// clients wakes up for those of a stretch at once.
    private func pingDue(after heard: NIODeadline) -> NIODeadline {
        let interval = TimeAmount(limits.pingInterval)
        let grid = UInt64(max(interval.nanoseconds / 20, 1))
        return .uptimeNanoseconds((heard + interval).uptimeNanoseconds / grid * grid)
    }

    /// When it is given up, if it stays silent: on a finer grid, and never too soon.
    private func end(after heard: NIODeadline) -> NIODeadline {
        let grid = UInt64(max(TimeAmount(limits.pingInterval).nanoseconds / 200, 1))
        let end = heard + TimeAmount(limits.silenceTimeout)
        return .uptimeNanoseconds((end.uptimeNanoseconds + grid - 1) / grid * grid)
    }

    func heartbeatDue() {
        guard case .open = state, let context else { return }
        let now = context.eventLoop.now
        // While we do not read, its silence is ours.
        if isReadHeld { lastHeard = now }
        let end = end(after: lastHeard)
        guard now < end else { return context.close(promise: nil) }
        // It may have spoken since the heartbeat was scheduled.
        let due = pingDue(after: lastHeard)
        guard due <= now else { return scheduleHeartbeat(at: due) }
        write(WebSocketFrame(fin: true, opcode: .ping, data: ByteBuffer()), cost: 0)
        context.flush()
        isPinged = true
        connection?.setPinged(at: now)
        scheduleHeartbeat(at: min(pingDue(after: now), end))
    }
}
