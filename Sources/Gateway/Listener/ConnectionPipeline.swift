import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOWebSocket
import RoundhouseMedia

/// What a new connection's channel is made of, for every protocol it may turn out to speak.
struct ConnectionPipeline: Sendable {
    let access: AccessControl
    let router: HTTPRouter
    let counters: GatewayCounters
    var failures: SetUpFailures
    /// What TLS is spoken with, if it is.
    let certificates: TLSCertificates
    let http2: HTTP2Connections
    let heartbeats = HeartbeatSchedules()
    /// Called on an event loop with every new WebSocket and its handshake.
    let opened: @Sendable (WebSocketConnection, SignalingHandshake) -> Void

    /// As they are now; what a connection began with stays with it.
    var limits: GatewayLimits { access.limits }

    /// Waits for the first bytes, which say what the client speaks.
    func begin(on channel: any Channel) throws {
        guard try admit(channel) else { return }
        try channel.pipeline.syncOperations.addHandler(ProtocolSelector(pipeline: self))
    }

    /// The same of a port that only TURN is spoken on.
    func beginTURN(_ service: TURNService, on channel: any Channel) throws {
        guard try admit(channel) else { return }
        try addTURN(service, to: channel, .tcp)
    }

    func addTURN(_ service: TURNService, to channel: any Channel, _ kind: RelayKind) throws {
        guard let client = IPAddressPort(channel.remoteAddress) else { throw ConnectionRefused() }
        try channel.pipeline.syncOperations.addHandler(
            TURNConnectionHandler(service: service, kind: kind, client: client))
    }

    /// - Returns: whether the connection may be served; one that may not is sent the reason.
    private func admit(_ channel: any Channel) throws -> Bool {
        let remote = ClientAddress(channel.remoteAddress)
        guard counters.openConnections <= limits.connections else {
            try refuse(.connections, channel)
            return false
        }
        guard let lease = access.accountant.connectionOpened(from: remote) else {
            try refuse(.connectionsPerAddress, channel)
            return false
        }
        channel.closeFuture.whenComplete { _ in lease.release() }
        return true
    }

    private func refuse(_ limit: GatewayLimit, _ channel: any Channel) throws {
        counters.connectionRefused(limit == .connections ? .tooManyConnections : .tooManyOfAddress)
        counters.limited(limit)
        guard access.refusalBegan() else { throw ConnectionRefused() }
        channel.closeFuture.whenComplete { _ in access.refusalEnded() }
        try channel.pipeline.syncOperations.addHandler(
            RefusalHandler(
                .tooManyConnections(limit), counters: counters, timeout: TimeAmount(limits.closeTimeout)))
    }

    /// - Parameter scheme: `https` if TLS is spoken.
    func addHTTP1(to channel: any Channel, scheme: String = "http") throws {
        counters.versionChosen(.http1)
        let limits = limits
        let remote = ClientAddress(channel.remoteAddress)
        var decoderLimits = NIOHTTPDecoderLimitConfiguration()
        decoderLimits.maxHeaderFieldSize = limits.headerBytes
        decoderLimits.maxHeaderListSize = limits.headerBytes
        decoderLimits.maxHeaderFieldCount = 100
        let encoder = HTTPResponseEncoder()
        let decoder = ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: decoderLimits))
        let pipelining = HTTPServerPipelineHandler()
        let validator = NIOHTTPResponseHeadersValidator()
        let http = HTTP1Handler(router: router, limits: limits, counters: counters, scheme: scheme)
        let httpBound = NIOLoopBound(http, eventLoop: channel.eventLoop)
        let upgrader = NIOWebSocketServerUpgrader(
            maxFrameSize: limits.messageBytes, automaticErrorHandling: false,
            shouldUpgrade: { channel, head in
                channel.eventLoop.makeSucceededFuture(
                    handshake(head, scheme, remote).map { HTTPHeaders($0.responseFields) })
            },
            upgradePipelineHandler: { channel, head in
                let operations = channel.pipeline.syncOperations
                operations.removeHandler(httpBound.value, promise: nil)
                let removed = channel.eventLoop.makePromise(of: Void.self)
                do {
                    let decoder = try operations.handler(type: ByteToMessageHandler<WebSocketFrameDecoder>.self)
                    operations.removeHandler(decoder, promise: removed)
                } catch {
                    removed.fail(error)
                }
                let upgraded = removed.futureResult.flatMapThrowing {
                    // What the client sends comes only after this.
                    guard let handshake = handshake(head, scheme, remote) else {
                        throw ChannelError.inappropriateOperationForState
                    }
                    try channel.pipeline.syncOperations.addHandlers(webSocketHandlers(handshake))
                }
                upgraded.whenFailure(failures.occurred)
                return upgraded
            })
        let operations = channel.pipeline.syncOperations
        try operations.addHandlers([encoder, decoder, pipelining, validator] as [any ChannelHandler])
        try operations.addHandler(
            HTTPServerUpgradeHandler(
                upgraders: [upgrader], httpEncoder: encoder, extraHTTPHandlers: [decoder, pipelining, validator],
                upgradeCompletionHandler: { _ in }))
        try operations.addHandler(http)
    }

    func addHTTP2(to channel: any Channel, isEncrypted: Bool = false) throws {
        let limits = limits
        guard let session = HTTP2Session(limits: HTTP2Limits(headerBytes: limits.headerBytes)) else {
            throw ChannelError.operationUnsupported
        }
        counters.versionChosen(.http2)
        let handler = HTTP2Handler(
            session: session, router: router, limits: limits, counters: counters, isEncrypted: isEncrypted,
            tunnel: addWebSocket)
        try channel.pipeline.syncOperations.addHandler(handler)
        http2.opened(handler, on: channel)
    }

    /// What NIO's upgrader does for HTTP/1.1, for a channel that is a stream of HTTP/2.
    private func addWebSocket(to channel: any Channel, for handshake: SignalingHandshake) throws {
        do {
            try channel.pipeline.syncOperations.addHandlers([WebSocketFrameEncoder()] + webSocketHandlers(handshake))
        } catch {
            failures.occurred(error)
            throw error
        }
    }

    /// What reads frames and what makes messages of them, with a loan for what they keep, and one for what waits for the client.
    private func webSocketHandlers(_ handshake: SignalingHandshake) -> [any ChannelHandler] {
        let opened = opened
        let limits = limits
        let memory = access.accountant.memory(of: handshake.origin)
        let incoming = memory.loan(own: MemoryLoan.incomingBytes)
        let outgoing = memory.loan(own: MemoryLoan.outgoingBytes)
        return [
            ByteToMessageHandler(MeteredFrameDecoder(maxFrameSize: limits.messageBytes, loan: incoming)),
            WebSocketHandler(
                limits: limits, counters: counters, incoming: incoming, outgoing: outgoing, heartbeats: heartbeats
            ) { opened($0, handshake) },
        ]
    }

    private func handshake(
        _ head: HTTPRequestHead, _ scheme: String, _ remote: ClientAddress?
    ) -> SignalingHandshake? {
        HTTPRequest(head, scheme: scheme).flatMap {
            router.handshake($0, from: remote, isEncrypted: scheme == "https")
        }
    }
}

extension HTTPHeaders {
    fileprivate init(_ fields: HTTPFields) {
        self.init()
        for field in fields { add(name: field.name.rawName, value: field.value) }
    }
}
