import NIOCore

/// Speaks TLS with the client for the handlers behind it. It fires `TLSHandshakeCompleted` before their first byte, and a
/// `TLSProblem` before it closes the connection for one.
///
/// ```
/// handshaking ─Finished→ open ─close output→ outputEnded ─close, or close_notify of the client→ closed
///      │                  ├─close→ closing ─close_notify of the client, or time limit→ closed
///      └─close, failure→ closed ←─┴─close_notify of the client, failure
/// ```
///
/// Back-pressure is the channel's: what was read is decrypted and passed on at once, so that no more than a part of a record
/// waits here; what was encrypted waits in the channel, whose writability counts it.
final class TLSServerHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case handshaking, open
        /// close_notify is sent; the client's bytes are still passed on.
        case outputEnded
        /// close_notify is sent, and the client's is awaited: closing the socket under what it still sends would reset the
        /// connection, and the client might lose our last bytes.
        case closing
        case closed
    }

    private let connection: TLSConnection
    private let closeTimeout: TimeAmount
    private var state = State.handshaking
    /// To be encrypted at the next flush. Small writes become one record.
    private var pending: [ByteBuffer] = []
    private var promises: [EventLoopPromise<Void>] = []
    private var closePromise: EventLoopPromise<Void>?
    private var deadline: Scheduled<Void>?
    /// Of libssl's own records, those that the socket has not taken.
    private var answerBytes = 0

    /// A client has libssl answer each change of its keys (RFC 8446 §4.6.3); one that does not read has no more than these.
    static let longestAnswers = 16_384

    /// - Parameter closeTimeout: for the client to answer close_notify, before the connection is cut.
    init(_ context: TLSContext, closeTimeout: TimeAmount) throws(TLSProblem) {
        connection = try TLSConnection(context)
        self.closeTimeout = closeTimeout
    }

    func handlerRemoved(context: ChannelHandlerContext) { channelEnded() }

    func channelInactive(context: ChannelHandlerContext) {
        channelEnded()
        context.fireChannelInactive()
    }

    private func channelEnded() {
        state = .closed
        deadline?.cancel()
        failPending(ChannelError.ioOnClosedChannel)
        closePromise?.succeed()
        closePromise = nil
    }

    // MARK: In

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard state != .closed else { return }
        connection.receive(unwrapInboundIn(data))
        do throws(TLSProblem) {
            if state == .handshaking { try shakeHands(context) }
            if state != .handshaking, state != .closed { try deliver(context) }
        } catch {
            fail(error, context)
        }
    }

    private func shakeHands(_ context: ChannelHandlerContext) throws(TLSProblem) {
        let progress = try connection.handshake()
        send(context)
        guard state == .handshaking, case .completed(let name) = progress else { return }
        state = .open
        context.fireUserInboundEventTriggered(TLSHandshakeCompleted(applicationProtocol: name))
        encryptPending(context)
        context.flush()
    }

    private func deliver(_ context: ChannelHandlerContext) throws(TLSProblem) {
        var bytes = context.channel.allocator.buffer(capacity: 0)
        var problem: TLSProblem?
        do throws(TLSProblem) { try connection.read(into: &bytes) } catch { problem = error }
        // What was decrypted before a failure is the client's, and is passed on.
        if bytes.readableBytes > 0, state != .closing { context.fireChannelRead(wrapInboundOut(bytes)) }
        guard state != .closed else { return }
        if let problem { throw problem }
        send(context)
        guard answerBytes <= Self.longestAnswers else { throw TLSProblem("the client does not read its answers") }
        guard state != .closed, connection.clientHasEnded else { return }
        // What it says after an end of ours is the last thing; before that, it is answered.
        if state == .open { beginClosing(context, nil) } else { closeNow(context, nil) }
    }

    private func fail(_ problem: TLSProblem, _ context: ChannelHandlerContext) {
        // An alert says why.
        send(context)
        guard state != .closed else { return }
        let isNews = state != .closing
        state = .closed
        failPending(problem)
        if isNews { context.fireErrorCaught(problem) }
        closeNow(context, nil)
    }

    // MARK: Out

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch state {
        case .handshaking, .open: break
        case .outputEnded, .closing:
            promise?.fail(ChannelError.outputClosed)
            return
        case .closed:
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        let bytes = unwrapOutboundIn(data)
        if let last = pending.last, last.readableBytes + bytes.readableBytes <= TLSConnection.recordBytes {
            pending[pending.count - 1].writeImmutableBuffer(bytes)
        } else {
            pending.append(bytes)
        }
        if let promise { promises.append(promise) }
    }

    func flush(context: ChannelHandlerContext) {
        encryptPending(context)
        context.flush()
    }

    private func encryptPending(_ context: ChannelHandlerContext) {
        guard state == .open, !pending.isEmpty else { return }
        let (buffers, waiting) = (pending, promises)
        (pending, promises) = ([], [])
        do throws(TLSProblem) {
            for bytes in buffers { try connection.write(bytes) }
        } catch {
            for promise in waiting { promise.fail(error) }
            return fail(error, context)
        }
        let written = waiting.isEmpty ? nil : context.eventLoop.makePromise(of: Void.self)
        written?.futureResult.whenComplete { result in for promise in waiting { promise.completeWith(result) } }
        write(connection.takeOutgoing(), context, written)
    }

    /// - Parameter promise: waits for what was written before, too.
    private func write(_ records: [ByteBuffer], _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        for bytes in records.dropLast() { context.write(wrapOutboundOut(bytes), promise: nil) }
        guard let last = records.last ?? promise.map({ _ in ByteBuffer() }) else { return }
        context.write(wrapOutboundOut(last), promise: promise)
    }

    /// Sends what libssl itself has for the client.
    private func send(_ context: ChannelHandlerContext) {
        let records = connection.takeOutgoing()
        guard !records.isEmpty else { return }
        let count = records.reduce(0) { $0 + $1.readableBytes }
        answerBytes += count
        let written = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        written.futureResult.whenComplete { _ in bound.value.answerBytes -= count }
        write(records, context, written)
        context.flush()
    }

    private func failPending(_ error: any Error) {
        let waiting = promises
        (pending, promises) = ([], [])
        for promise in waiting { promise.fail(error) }
    }

    // MARK: The end

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch (mode, state) {
        case (.input, _), (_, .closed): context.close(mode: mode, promise: promise)
        case (.output, .open): endOutput(context, promise)
        case (.output, .outputEnded), (.output, .closing): promise?.fail(ChannelError.outputClosed)
        case (.all, .open): beginClosing(context, promise)
        case (.all, .closing): awaitClose(promise)
        case (_, .handshaking), (.all, .outputEnded): closeNow(context, promise)
        }
    }

    private func endOutput(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        encryptPending(context)
        guard state == .open else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        state = .outputEnded
        connection.end()
        // The channel drops what still waits in it when its output is closed.
        let sent = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        sent.futureResult.whenComplete { _ in bound.value.close(mode: .output, promise: promise) }
        write(connection.takeOutgoing(), context, sent)
        context.flush()
    }

    private func beginClosing(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        state = .closing
        awaitClose(promise)
        failPending(ChannelError.ioOnClosedChannel)
        connection.end()
        send(context)
        guard state == .closing else { return }
        if connection.clientHasEnded { return closeNow(context, nil) }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: closeTimeout) {
            let (handler, context) = bound.value
            handler.closeNow(context, nil)
        }
        // The handlers behind may have held reading back, and close_notify comes after what they have not read.
        context.read()
    }

    private func awaitClose(_ promise: EventLoopPromise<Void>?) {
        guard let promise else { return }
        if let closePromise { closePromise.futureResult.cascade(to: promise) } else { closePromise = promise }
    }

    private func closeNow(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        awaitClose(promise)
        let waiting = closePromise
        closePromise = nil
        state = .closed
        deadline?.cancel()
        failPending(ChannelError.ioOnClosedChannel)
        context.close(promise: waiting)
    }
}
