import HTTPTypes
import NIOCore
import NIOHTTP1

/// Collects one HTTP/1.1 request at a time, has the router answer it, and enforces the limits of size and time.
///
/// Requests that a client sends ahead wait in the pipelining handler before this one.
final class HTTP1Handler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case waiting
        /// Without a body nothing is borrowed.
        case receiving(HTTPRequestHead, BorrowedBuffer?)
        case responding
        case streaming(EventStreamPump)
        /// Answered early with `Connection: close`; what the client still sends is dropped.
        case refused
    }

    private let router: HTTPRouter
    private let limits: GatewayLimits
    private let counters: GatewayCounters
    private let scheme: String
    private var state = State.waiting
    /// Of the request that is being received.
    private var bodyLimit = 0
    private var deadline: Scheduled<Void>?

    init(router: HTTPRouter, limits: GatewayLimits, counters: GatewayCounters, scheme: String = "http") {
        self.scheme = scheme
        self.router = router
        self.limits = limits
        self.counters = counters
    }

    func handlerAdded(context: ChannelHandlerContext) { startDeadline(limits.requestTimeout, context) }
    func handlerRemoved(context: ChannelHandlerContext) { ended() }

    private func ended() {
        deadline?.cancel()
        if case .streaming(let pump) = state { pump.connectionClosed() }
        state = .refused
    }

    func channelInactive(context: ChannelHandlerContext) {
        ended()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), state) {
        case (.head(let head), .waiting):
            bodyLimit = limits.bodyBytes(at: head.uri)
            if let length = head.headers.first(name: "content-length"), Int(length) ?? .max > bodyLimit {
                return refuseBody(context)
            }
            state = .receiving(head, nil)
            if head.expectsContinue { sendContinue(head, context) }
        case (.body(let part), .receiving(let head, var received)):
            var body = received.take() ?? BorrowedBuffer(memory(of: head, context).loan())
            guard part.readableBytes <= bodyLimit - body.bytes.readableBytes else { return refuseBody(context) }
            state = .waiting
            guard body.append(part) else { return refuse(.outOfMemory, context) }
            state = .receiving(head, body)
        case (.end, .receiving(let head, let body)): requestReceived(head, body, context)
        case (_, .refused), (_, .waiting), (_, .responding), (_, .streaming), (.head, .receiving): break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The upgrader's own complaint precedes the request, which then arrives here and is answered like any other.
        // A client that leaves in the middle of a request is no offender.
        guard let error = error as? HTTPParserError, context.channel.isActive else { return }
        switch state {
        case .waiting, .receiving:
            counters.connectionRefused(.malformedRequest)
            let isTooLarge = error == .headerOverflow
            refuse(
                isTooLarge
                    ? .failure(
                        .requestHeaderFieldsTooLarge, code: "header-too-large",
                        "the header fields together may have \(limits.headerBytes) bytes")
                    : .failure(.badRequest, code: "malformed-request", "the request is not HTTP/1.1"), context)
        case .responding, .streaming, .refused: context.close(promise: nil)
        }
    }

    /// The account of the client that sent a request, which may have come by a proxy.
    private func memory(of head: HTTPRequestHead, _ context: ChannelHandlerContext) -> MemoryAccount {
        let accountant = router.access.accountant
        let fields = HTTPRequest(head, scheme: scheme)?.headerFields ?? [:]
        return accountant.memory(of: accountant.origin(of: ClientAddress(context.channel.remoteAddress), fields))
    }

    private func requestReceived(
        _ head: HTTPRequestHead, _ body: BorrowedBuffer?, _ context: ChannelHandlerContext
    ) {
        state = .responding
        deadline?.cancel()
        guard let request = HTTPRequest(head, scheme: scheme) else {
            return refuse(
                .failure(
                    .badRequest, code: "malformed-request", "a header field is not valid, or there is not one Host"),
                context)
        }
        let incoming = IncomingRequest(
            head: request, body: body.map { Array($0.bytes.readableBytesView) } ?? [], loan: body?.loan,
            remoteAddress: ClientAddress(context.channel.remoteAddress), isEncrypted: scheme == "https")
        let router = router
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.makeFutureWithTask { await router.respond(to: incoming) }.whenSuccess { response in
            let (handler, context) = bound.value
            handler.write(response, to: head, context)
        }
    }

    private func write(_ response: OutgoingResponse, to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard context.channel.isActive, case .responding = state else {
            response.events?.connectionClosed()
            return
        }
        if let events = response.events {
            counters.responded(status: response.head.status.code)
            if head.method != .HEAD { return stream(events, response, to: head, context) }
            events.finish()
            events.connectionClosed(.finished)
        }
        let loan = memory(of: head, context).loan()
        guard loan.take(response.body.count) else { return refuse(.outOfMemory, context) }
        if response.events == nil { counters.responded(status: response.head.status.code) }
        state = .waiting
        startDeadline(limits.keepAliveTimeout, context)
        let isLast = !head.isKeepAlive || response.head.headerFields[.connection] == "close"
        let done = send(response, version: head.version, isHeadOnly: head.method == .HEAD, isLast: isLast, context)
        // Until the kernel has all of it.
        done.whenComplete { _ in withExtendedLifetime(loan) {} }
        if isLast { close(after: done, context) }
    }

    /// Sends the head, and the events as they come, in chunks if the version has them (RFC 9112 §7.1).
    private func stream(
        _ events: EventStream, _ response: OutgoingResponse, to request: HTTPRequestHead,
        _ context: ChannelHandlerContext
    ) {
        let isLast = !request.isKeepAlive || request.version != .http1_1
        var head = HTTPResponseHead(response.head, version: request.version)
        if isLast { head.headers.replaceOrAdd(name: "connection", value: "close") }
        let pump = EventStreamPump(
            events, on: context.eventLoop, limits: limits, counters: counters,
            write: { bytes, promise in
                context.writeAndFlush(self.wrapOutboundOut(.body(.byteBuffer(bytes))), promise: promise)
            },
            end: { isCut in self.streamEnded(isCut: isCut, isLast: isLast, context) })
        state = .streaming(pump)
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
        pump.start()
    }

    private func streamEnded(isCut: Bool, isLast: Bool, _ context: ChannelHandlerContext) {
        guard case .streaming = state else { return }
        guard !isCut else {
            // Without the last chunk, the client knows that this was not the end.
            state = .refused
            return context.close(promise: nil)
        }
        state = .waiting
        startDeadline(limits.keepAliveTimeout, context)
        let done = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        if isLast { close(after: done, context) }
    }

    /// The client waits with the body until it knows that it is wanted (RFC 9110 §10.1.1).
    private func sendContinue(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let head = HTTPResponseHead(version: request.version, status: .continue)
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
    }

    private func refuseBody(_ context: ChannelHandlerContext) {
        counters.limited(.bodySize)
        refuse(
            .failure(.contentTooLarge, code: "body-too-large", "a body may have \(bodyLimit) bytes"), context)
    }

    private func refuse(_ response: OutgoingResponse, _ context: ChannelHandlerContext) {
        state = .refused
        counters.responded(status: response.head.status.code)
        close(after: send(response, version: .http1_1, isHeadOnly: false, isLast: true, context), context)
    }

    private func send(
        _ response: OutgoingResponse, version: HTTPVersion, isHeadOnly: Bool, isLast: Bool,
        _ context: ChannelHandlerContext
    ) -> EventLoopFuture<Void> {
        var head = HTTPResponseHead(response.head, version: version)
        // A 304 has no body and describes none (RFC 9110 §15.4.5).
        if response.head.status != .notModified {
            head.headers.replaceOrAdd(name: "content-length", value: String(response.body.count))
        }
        if isLast { head.headers.replaceOrAdd(name: "connection", value: "close") }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !isHeadOnly, !response.body.isEmpty {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: response.body)))), promise: nil)
        }
        return context.writeAndFlush(wrapOutboundOut(.end(nil)))
    }

    /// Ends our side first: closing with unread bytes in the socket would reset it, and the answer would be lost.
    private func close(after written: EventLoopFuture<Void>, _ context: ChannelHandlerContext) {
        deadline?.cancel()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let linger = TimeAmount(limits.closeTimeout)
        written.whenComplete { _ in
            let context = bound.value
            context.close(mode: .output, promise: nil)
            context.eventLoop.scheduleTask(in: linger) { bound.value.close(promise: nil) }
        }
    }

    private func startDeadline(_ time: Duration, _ context: ChannelHandlerContext) {
        deadline?.cancel()
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: TimeAmount(time)) {
            let (handler, context) = bound.value
            handler.deadlinePassed(context)
        }
    }

    private func deadlinePassed(_ context: ChannelHandlerContext) {
        switch state {
        case .receiving:
            counters.connectionRefused(.slowRequest)
            refuse(
                .failure(.requestTimeout, code: "request-timeout", "the request did not arrive in time"), context)
        case .waiting:
            counters.connectionRefused(.slowRequest)
            state = .refused
            context.close(promise: nil)
        case .responding, .streaming, .refused: break
        }
    }
}

extension HTTPRequestHead {
    /// Whether the client waits for a word before it sends the body. HTTP/1.0 has none.
    fileprivate var expectsContinue: Bool {
        version == .http1_1 && headers["expect"].contains { $0.lowercased() == "100-continue" }
    }
}
