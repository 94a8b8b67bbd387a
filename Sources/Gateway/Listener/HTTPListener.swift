import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The TCP port: takes connections, speaks HTTP/1.1 on them, and hands over those that become WebSockets.
final class HTTPListener: Sendable {
    private let channel: any Channel
    private let isClosed = Atomic<Bool>(false)
    /// The bound port.
    let port: Int

    /// - Parameter opened: called on an event loop with every new WebSocket and its handshake.
    static func bind(
        _ configuration: GatewayConfiguration, on group: any EventLoopGroup, router: HTTPRouter,
        counters: GatewayCounters, opened: @escaping @Sendable (WebSocketConnection, SignalingHandshake) -> Void
    ) async throws(GatewayError) -> HTTPListener {
        let limits = configuration.limits
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptGuard(limit: limits.connections, counters: counters))
                }
            }
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try addHTTP1Handlers(
                        to: channel, limits: limits, router: router, counters: counters, opened: opened)
                }
            }
        do {
            let channel = try await bootstrap.bind(host: configuration.host, port: configuration.port).get()
            return HTTPListener(channel: channel, port: channel.localAddress?.port ?? configuration.port)
        } catch {
            throw failure(error, configuration)
        }
    }

    private init(channel: any Channel, port: Int) {
        self.channel = channel
        self.port = port
    }

    /// Stops accepting; connections go on. Safe to call twice.
    func close() async {
        // A close on an event loop that has ended would never be answered.
        guard !isClosed.exchange(true, ordering: .relaxed) else { return }
        try? await channel.close()
    }

    static func addHTTP1Handlers(
        to channel: any Channel, limits: GatewayLimits, router: HTTPRouter, counters: GatewayCounters,
        opened: @escaping @Sendable (WebSocketConnection, SignalingHandshake) -> Void
    ) throws {
        var decoderLimits = NIOHTTPDecoderLimitConfiguration()
        decoderLimits.maxHeaderFieldSize = limits.headerBytes
        decoderLimits.maxHeaderListSize = limits.headerBytes
        decoderLimits.maxHeaderFieldCount = 100
        let encoder = HTTPResponseEncoder()
        let decoder = ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: decoderLimits))
        let pipelining = HTTPServerPipelineHandler()
        let validator = NIOHTTPResponseHeadersValidator()
        let http = HTTP1Handler(router: router, limits: limits, counters: counters)
        let httpBound = NIOLoopBound(http, eventLoop: channel.eventLoop)
        let upgrader = NIOWebSocketServerUpgrader(
            maxFrameSize: limits.messageBytes, automaticErrorHandling: false,
            shouldUpgrade: { channel, head in
                channel.eventLoop.makeSucceededFuture(router.handshake(head).map { HTTPHeaders($0.responseFields) })
            },
            upgradePipelineHandler: { channel, head in
                channel.eventLoop.makeCompletedFuture {
                    let operations = channel.pipeline.syncOperations
                    operations.removeHandler(httpBound.value, promise: nil)
                    guard let handshake = router.handshake(head) else {
                        throw ChannelError.inappropriateOperationForState
                    }
                    try operations.addHandler(
                        WebSocketHandler(limits: limits, counters: counters) { opened($0, handshake) })
                }
            })
        let operations = channel.pipeline.syncOperations
        try operations.addHandlers([encoder, decoder, pipelining, validator] as [any ChannelHandler])
        try operations.addHandler(
            HTTPServerUpgradeHandler(
                upgraders: [upgrader], httpEncoder: encoder, extraHTTPHandlers: [decoder, pipelining, validator],
                upgradeCompletionHandler: { _ in }))
        try operations.addHandler(http)
    }

    private static func failure(_ error: any Error, _ configuration: GatewayConfiguration) -> GatewayError {
        let place = "\(configuration.host) port \(configuration.port)"
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE: return GatewayError(.portInUse, "TCP port \(configuration.port) is in use by another process")
        case EADDRNOTAVAIL:
            return GatewayError(.addressUnavailable, "\(configuration.host) is not an address of this machine")
        case EACCES, EPERM: return GatewayError(.permissionDenied, "this user may not listen on \(place)")
        default:
            if error is SocketAddressError || error is SocketAddressError.UnknownHost {
                return GatewayError(.addressUnavailable, "\(configuration.host) is not an address or known host name")
            }
            return GatewayError(.system, "cannot listen on \(place): \(error)")
        }
    }
}

extension HTTPRouter {
    /// The signaling handshake that an HTTP/1.1 request asks for, if it may have it.
    func handshake(_ head: HTTPRequestHead) -> SignalingHandshake? {
        guard let request = HTTPRequest(head), case .accept(let handshake) = SignalingHandshake.judge(request) else {
            return nil
        }
        return handshake
    }
}

extension HTTPHeaders {
    fileprivate init(_ fields: HTTPFields) {
        self.init()
        for field in fields { add(name: field.name.rawName, value: field.value) }
    }
}
