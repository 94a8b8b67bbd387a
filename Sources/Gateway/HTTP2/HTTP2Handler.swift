import HTTPTypes
import NIOCore

/// The channel's end of an `HTTP2Session`: carries its bytes, has the router answer its requests, turns WebSocket
/// handshakes into channels, and keeps the limits of time.
final class HTTP2Handler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Exchange {
        /// Without a body nothing is borrowed.
        case receiving(HTTPRequest, BorrowedBuffer?)
        case responding(HTTPRequest)
        case sending
        case streaming(EventStreamPump)
        case tunnel(HTTP2StreamChannel)
        /// A tunnel whose server side has ended.
        case ending
    }

    private struct Stream {
        var exchange: Exchange
        /// When it came to this point, or last moved on.
        var since: NIODeadline
    }

    private let session: HTTP2Session
    private let router: HTTPRouter
    private let limits: GatewayLimits
    private let counters: GatewayCounters
    private let isEncrypted: Bool
    /// Adds what speaks WebSocket to a tunnel's channel.
    private let tunnel: (any Channel, SignalingHandshake) throws -> Void
    private var streams: [Int32: Stream] = [:]
    private var context: ChannelHandlerContext?
    private var idleSince = NIODeadline.uptimeNanoseconds(0)
    private var running = 0
    /// Bytes of bodies that are being received or carried out.
    private var bodyBytes = 0
    private var depth = 0
    private var isReadHeld = false
    private var isDraining = false
    private var isClosing = false
    private var deadlineTimer: Scheduled<Void>?

    init(
        session: HTTP2Session, router: HTTPRouter, limits: GatewayLimits, counters: GatewayCounters,
        isEncrypted: Bool = false,
        tunnel: @escaping (any Channel, SignalingHandshake) throws -> Void
    ) {
        self.session = session
        self.router = router
        self.limits = limits
        self.counters = counters
        self.isEncrypted = isEncrypted
        self.tunnel = tunnel
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        idleSince = context.eventLoop.now
        scheduleDeadlines()
        flush()
    }

    func handlerRemoved(context: ChannelHandlerContext) { ended() }

    func channelInactive(context: ChannelHandlerContext) {
        ended()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func ended() {
        context = nil
        deadlineTimer?.cancel()
        let left = streams
        streams = [:]
        for stream in left.values { Self.closed(stream.exchange) }
        session.abandonStreams()
        settlePromises()
    }

    // MARK: Bytes

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        let bytes = unwrapInboundIn(data)
        perform {
            // What it broke is seen when the answer goes out.
            try? session.receive(bytes, now: context.eventLoop.now)
        }
    }

    func read(context: ChannelHandlerContext) {
        // Stop reading from a client that does not read its responses, so that its send queue stays bounded.
        if context.channel.isWritable || isClosing { context.read() } else { isReadHeld = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            flush()
            if isReadHeld {
                isReadHeld = false
                context.read()
            }
        }
        context.fireChannelWritabilityChanged()
    }

    /// Sends what the session has, unless a caller further up will.
    func flush() { perform {} }

    /// Runs `work`, then acts upon its events and sends what came of them.
    private func perform(_ work: () -> Void) {
        depth += 1
        work()
        depth -= 1
        guard depth == 0 else { return }
        depth = 1
        sendAll()
        depth = 0
    }

    private func sendAll() {
        var hasMore = true
        while let context, hasMore {
            act(upon: session.takeEvents())
            guard context.channel.isWritable || session.violation != nil else { break }
            var bytes = context.channel.allocator.buffer(capacity: 4096)
            hasMore = session.send(into: &bytes, limit: 65_536)
            if bytes.readableBytes > 0 {
                context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
                hasMore = true
            }
            // Whatever waited for one may have written more, or ended its stream.
            if settlePromises() { hasMore = true }
        }
        closeIfOver()
    }

    /// - Returns: whether there was one.
    @discardableResult
    private func settlePromises() -> Bool {
        let promises = session.takePromises()
        for promise in promises.written { promise.succeed() }
        for promise in promises.abandoned { promise.fail(ChannelError.ioOnClosedChannel) }
        return !promises.written.isEmpty || !promises.abandoned.isEmpty
    }

    private func closeIfOver() {
        guard let context, !isClosing else { return }
        if let violation = session.violation {
            counters.http2Violated(violation.kind)
        } else {
            guard session.isFinished else { return }
        }
        isClosing = true
        // Our side first: unread bytes in the socket would reset it, and the GOAWAY would be lost.
        context.close(mode: .output, promise: nil)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: TimeAmount(limits.closeTimeout)) {
            bound.value.context?.close(promise: nil)
        }
        if isReadHeld {
            isReadHeld = false
            context.read()
        }
    }

    // MARK: Requests

    private func act(upon events: [HTTP2Event]) {
        for event in events {
            switch event {
            case .request(let id, let request, let isEnd): requestReceived(request, on: id, isEnd: isEnd)
            case .badHead(let id, let problem): answer(id, Self.response(to: problem, limits))
            case .body(let id, let bytes): bodyReceived(bytes, on: id)
            case .end(let id): endReceived(on: id)
            case .closed(let id, _): streamClosed(id)
            }
        }
    }

    private func requestReceived(_ request: HTTPRequest, on id: Int32, isEnd: Bool) {
        guard let context else { return }
        streams[id] = Stream(exchange: .receiving(request, nil), since: context.eventLoop.now)
        if request.extendedConnectProtocol != nil, !isEnd {
            if let handshake = router.handshake(
                request, from: ClientAddress(context.channel.remoteAddress), isEncrypted: isEncrypted)
            {
                openTunnel(id, handshake, context)
            } else {
                route(request, nil, on: id)
            }
            return
        }
        let length = request.headerFields[.contentLength].flatMap { Int($0) } ?? 0
        if length > limits.bodyBytes(of: request) { return refuseBody(id, request) }
        if !isEnd, request.headerFields[.expect]?.lowercased() == "100-continue" { session.proceed(id) }
        if isEnd { route(request, nil, on: id) }
    }

    private func bodyReceived(_ bytes: ByteBuffer, on id: Int32) {
        switch streams[id]?.exchange {
        case .tunnel(let channel): channel.bytesReceived(bytes)
        case .receiving(let request, var received):
            var body = received.take() ?? BorrowedBuffer(memory(of: request).loan())
            session.consumed(id, bytes: bytes.readableBytes)
            guard bytes.readableBytes <= limits.bodyBytes(of: request) - body.bytes.readableBytes else {
                return refuseBody(id, request)
            }
            guard hold(bytes.readableBytes, of: id) else { return }
            // One owner while it grows.
            streams[id]?.exchange = .sending
            let isTaken = body.append(bytes)
            streams[id]?.exchange = .receiving(request, body)
            guard isTaken else {
                // Counted already, and no part of what is released.
                bodyBytes -= bytes.readableBytes
                return answer(id, .outOfMemory)
            }
        case .responding, .streaming, .ending: session.consumed(id, bytes: bytes.readableBytes)
        // Answered before its end: the window stays shut.
        case .sending, nil: break
        }
    }

    private func endReceived(on id: Int32) {
        switch streams[id]?.exchange {
        case .tunnel(let channel): channel.ended()
        case .receiving(let request, let body): route(request, body, on: id)
        case .responding, .sending, .streaming, .ending, nil: break
        }
    }

    private func streamClosed(_ id: Int32) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        release(stream.exchange)
        Self.closed(stream.exchange)
        if streams.isEmpty, let context { idleSince = context.eventLoop.now }
    }

    private static func closed(_ exchange: Exchange) {
        switch exchange {
        case .tunnel(let channel): channel.streamClosed()
        case .streaming(let pump): pump.connectionClosed()
        case .receiving, .responding, .sending, .ending: break
        }
    }

    /// The account of the client that sent a request, which may have come by a proxy.
    private func memory(of request: HTTPRequest) -> MemoryAccount {
        let accountant = router.access.accountant
        let remote = (context?.channel.remoteAddress).flatMap { ClientAddress($0) }
        return accountant.memory(of: accountant.origin(of: remote, request.headerFields))
    }

    private func route(_ request: HTTPRequest, _ received: BorrowedBuffer?, on id: Int32) {
        guard let context else { return }
        // A stream that is reset does not stop the work begun for it.
        guard running < 2 * Int(HTTP2Limits().streams) else { return session.refuse(id) }
        running += 1
        streams[id] = Stream(exchange: .responding(request), since: context.eventLoop.now)
        let router = router
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let body = received.map { Array($0.bytes.readableBytesView) } ?? []
        let incoming = IncomingRequest(
            head: request, body: body, loan: received?.loan,
            remoteAddress: ClientAddress(context.channel.remoteAddress),
            isEncrypted: isEncrypted)
        context.eventLoop.makeFutureWithTask { await router.respond(to: incoming) }.whenSuccess { response in
            let handler = bound.value
            handler.running -= 1
            handler.bodyBytes -= body.count
            guard case .responding = handler.streams[id]?.exchange else {
                response.events?.connectionClosed()
                return
            }
            let loan = handler.memory(of: request).loan()
            let fits = loan.take(response.body.count)
            handler.perform {
                handler.answer(
                    id, fits ? response : .outOfMemory, isHeadOnly: request.method == .head, loan: fits ? loan : nil)
            }
        }
    }

    /// Counts a body's bytes.
    /// - Returns: `false` if the connection has too many already: its stream is then answered, and may be tried again.
    private func hold(_ bytes: Int, of id: Int32) -> Bool {
        guard bodyBytes + bytes > limits.connectionBodyBytes else {
            bodyBytes += bytes
            return true
        }
        counters.limited(.connectionBodies)
        var response = OutgoingResponse.failure(
            .serviceUnavailable, code: "overloaded",
            "the requests of one connection may have \(limits.connectionBodyBytes) bytes of bodies at a time")
        response.head.headerFields[.retryAfter] = "1"
        answer(id, response)
        return false
    }

    /// A body that is not carried out any more.
    private func release(_ exchange: Exchange?) {
        if case .receiving(_, let body?) = exchange { bodyBytes -= body.bytes.readableBytes }
    }

    private func refuseBody(_ id: Int32, _ request: HTTPRequest) {
        counters.limited(.bodySize)
        answer(
            id,
            .failure(.contentTooLarge, code: "body-too-large", "a body may have \(limits.bodyBytes(of: request)) bytes")
        )
    }

    /// - Parameter loan: what the body is borrowed by, until it is sent; the server's own short words need none.
    private func answer(
        _ id: Int32, _ response: OutgoingResponse, isHeadOnly: Bool = false, loan: MemoryLoan? = nil
    ) {
        guard let context else {
            response.events?.connectionClosed()
            return
        }
        counters.responded(status: response.head.status.code)
        var head = response.head
        // Says something of HTTP/1.1 only, and is forbidden here (RFC 9113 §8.2.2).
        head.headerFields[.connection] = nil
        if let events = response.events {
            if !isHeadOnly { return stream(events, head, on: id, context) }
            events.finish()
            events.connectionClosed(.finished)
        }
        release(streams[id]?.exchange)
        streams[id] = Stream(exchange: .sending, since: context.eventLoop.now)
        // A 304 has no body and describes none (RFC 9110 §15.4.5).
        if head.status != .notModified { head.headerFields[.contentLength] = String(response.body.count) }
        let isEnd = isHeadOnly || response.body.isEmpty
        session.respond(id, head, isEnd: isEnd)
        guard !isEnd else { return }
        let sent = loan.map { loan in
            let promise = context.eventLoop.makePromise(of: Void.self)
            promise.futureResult.whenComplete { _ in withExtendedLifetime(loan) {} }
            return promise
        }
        session.write(id, context.channel.allocator.buffer(bytes: response.body), written: sent)
        session.finish(id)
    }

    private func stream(_ events: EventStream, _ head: HTTPResponse, on id: Int32, _ context: ChannelHandlerContext) {
        let pump = EventStreamPump(
            events, on: context.eventLoop, limits: limits, counters: counters,
            write: { bytes, promise in self.perform { self.session.write(id, bytes, written: promise) } },
            end: { isCut in self.streamEnded(id, isCut: isCut) })
        streams[id] = Stream(exchange: .streaming(pump), since: context.eventLoop.now)
        session.respond(id, head, isEnd: false)
        pump.start()
    }

    private func streamEnded(_ id: Int32, isCut: Bool) {
        guard let context, case .streaming = streams[id]?.exchange else { return }
        streams[id] = Stream(exchange: .sending, since: context.eventLoop.now)
        perform { if isCut { session.cancel(id) } else { session.finish(id) } }
    }

    private static func response(to problem: HTTP2Head.Problem, _ limits: GatewayLimits) -> OutgoingResponse {
        switch problem {
        case .tooLarge:
            .failure(
                .requestHeaderFieldsTooLarge, code: "header-too-large",
                "the header fields together may have \(limits.headerBytes) bytes")
        case .invalid: .failure(.badRequest, code: "malformed-request", "a header field is not valid")
        }
    }

    // MARK: Tunnels

    private func openTunnel(_ id: Int32, _ handshake: SignalingHandshake, _ context: ChannelHandlerContext) {
        let loan = router.access.accountant.memory(of: handshake.origin).loan()
        let channel = HTTP2StreamChannel(streamID: id, of: self, parent: context.channel, loan: loan)
        streams[id] = Stream(exchange: .tunnel(channel), since: context.eventLoop.now)
        counters.responded(status: 200)
        session.respond(
            id, HTTPResponse(status: .ok, headerFields: handshake.responseFields), isEnd: false)
        do {
            try tunnel(channel, handshake)
            channel.start()
        } catch {
            session.cancel(id)
        }
    }

    func write(_ bytes: ByteBuffer, on id: Int32, _ promise: EventLoopPromise<Void>?) {
        session.write(id, bytes, written: promise)
    }

    func consumed(_ bytes: Int, of id: Int32) {
        perform { session.consumed(id, bytes: bytes) }
    }

    /// Ends the server's side; the client has a moment to end its own.
    func finish(_ id: Int32) {
        guard let context, streams[id] != nil else { return }
        streams[id] = Stream(exchange: .ending, since: context.eventLoop.now)
        perform { session.finish(id) }
    }

    // MARK: Deadlines

    private func scheduleDeadlines() {
        guard let context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        deadlineTimer = context.eventLoop.scheduleTask(in: .seconds(1)) {
            bound.value.perform { bound.value.checkDeadlines() }
            bound.value.scheduleDeadlines()
        }
    }

    private func checkDeadlines() {
        guard let now = context?.eventLoop.now else { return }
        for (id, stream) in streams {
            let waited = now - stream.since
            switch stream.exchange {
            case .receiving where waited >= TimeAmount(limits.requestTimeout):
                counters.connectionRefused(.slowRequest)
                answer(id, .failure(.requestTimeout, code: "request-timeout", "the request did not arrive in time"))
            case .sending where session.isAnswered(id):
                // Not at once: some clients take the reset for a failure when it overtakes their reading of the answer.
                if waited >= TimeAmount(limits.closeTimeout) { session.stopSending(id) }
            case .sending where waited >= TimeAmount(limits.keepAliveTimeout):
                // It does not take its answer.
                counters.connectionRefused(.slowRequest)
                session.cancel(id)
            case .ending where waited >= TimeAmount(limits.closeTimeout): session.cancel(id)
            case .receiving, .responding, .sending, .streaming, .tunnel, .ending: break
            }
        }
        if streams.isEmpty, now - idleSince >= TimeAmount(limits.keepAliveTimeout) { drain() }
    }

    // MARK: The end

    /// Takes no more requests; those begun are answered, then the connection ends (RFC 9113 §6.8).
    func drain() {
        guard !isDraining, let context else { return }
        isDraining = true
        perform { session.announceShutdown() }
        // Long enough for what the client sent before it read the notice.
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(500)) {
            bound.value.perform { bound.value.session.goAway() }
        }
    }
}

extension GatewayLimits {
    fileprivate func bodyBytes(of request: HTTPRequest) -> Int { bodyBytes(at: request.path ?? "/") }
}
