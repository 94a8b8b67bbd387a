import CoreMetrics
public import Logging
import NIOCore
import NIOPosix
public import RoundhouseMedia
public import RoundhouseRooms

/// The gateway of one process: the HTTP port, the signaling on it, the state API, the metrics and the page.
///
/// Start it, `run` it in a task of its own, `stopAccepting` and `close` it at the end.
public final class GatewayServer: Sendable {
    /// The bound TCP port.
    public var port: Int { listener.port }

    /// The protocols and ports of the TURN server, for people: `TLS 443, UDP 3478`; `nil` if there is none.
    public var turnWays: String? { access.turn?.ways }

    private let listener: HTTPListener
    private let turnListener: TURNListener?
    private let group: MultiThreadedEventLoopGroup
    private let gateway: SignalingGateway
    private let socketIO: SocketIOServer
    private let http2: HTTP2Connections
    private let feed: RoomEventFeed
    private let webhooks: Webhooks
    private let certificates: TLSCertificates
    private let access: AccessControl
    private let requests: OpenRequests
    private let rooms: RoomRegistry
    private let metrics: MetricsExposition
    private let metricsInterval: Duration
    private let logger: Logger
    private let opened: AsyncStream<(WebSocketConnection, SignalingHandshake)>
    private let handshakes: AsyncStream<(WebSocketConnection, SignalingHandshake)>.Continuation
    let counters: GatewayCounters

    /// Binds the port; connections are accepted at once and served by `run`.
    /// - Parameter version: the program's, for `/api/v1/server` and the metrics.
    /// - Throws: `GatewayError` when the port cannot be had or the certificate cannot be used.
    public static func start(
        _ configuration: GatewayConfiguration, rooms: RoomRegistry,
        mediaCounters: @escaping @Sendable () -> [ShardCounters], version: String = "unknown",
        logger: Logger = Logger(label: "roundhouse.gateway")
    ) async throws(GatewayError) -> GatewayServer {
        let certificates = try TLSCertificates(configuration.tls)
        let counters = GatewayCounters()
        let facts = ServerFacts(version: version)
        let turn = configuration.turn.isEnabled ? rooms.relay.map { TURNService(configuration.turn, relay: $0) } : nil
        let access = AccessControl(limits: configuration.limits, counters: counters, logger: logger, turn: turn)
        access.apply(configuration)
        // Signaling is light, and the cores belong to the media threads.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: min(System.coreCount, 2))
        let lane = ReadingLane()
        let socketIO = SocketIOServer(
            rooms: rooms, access: access, group: group, counters: counters, logger: logger, lane: lane)
        let feed = RoomEventFeed(log: rooms.events, limits: configuration.limits)
        let webhooks = Webhooks(configuration.webhooks, log: rooms.events, version: version, logger: logger)
        let gateway = SignalingGateway(
            rooms: rooms, socketIO: socketIO, sessions: SignalingSessions(limit: configuration.limits.connections),
            access: access, counters: counters, logger: logger, lane: lane)
        let metrics = MetricsExposition(
            counters: counters, registry: rooms, media: mediaCounters, facts: facts,
            certificateDays: { certificates.context?.daysLeft }, webhooks: webhooks, turn: turn)
        var router = HTTPRouter(
            assets: StaticAssets(),
            state: StateAPI(
                registry: rooms, admin: AdminAccess(access: access), feed: feed,
                media: mediaCounters, facts: facts),
            metrics: metrics, roomEntry: RoomEntryAPI(rooms: rooms, access: access, lane: lane), socketIO: socketIO,
            whip: WHIPEndpoints(rooms: rooms, access: access, lane: lane, logger: logger),
            peers: PeerEndpoints(gateway: gateway, rooms: rooms, access: access, group: group),
            broadcasters: BroadcasterEndpoints(
                rooms: rooms, access: access, counters: counters, lane: lane, logger: logger), access: access)
        if let turn { router.turnWays = { turn.ways } }
        let (opened, handshakes) = AsyncStream.makeStream(of: (WebSocketConnection, SignalingHandshake).self)
        let pipeline = ConnectionPipeline(
            access: access, router: router, counters: counters,
            failures: SetUpFailures(counters: counters, logger: logger), certificates: certificates,
            http2: HTTP2Connections(),
            opened: { connection, handshake in
                guard case .terminated = handshakes.yield((connection, handshake)) else { return }
                connection.close(.goingAway, reason: PeerCloseReason.shutdown.closeReason)
            })
        do throws(GatewayError) {
            let turnListener = try await Self.listen(configuration, turn, rooms, on: group, pipeline)
            let listener: HTTPListener
            do throws(GatewayError) {
                listener = try await HTTPListener.bind(configuration, on: group, pipeline: pipeline)
            } catch {
                await turnListener?.close()
                throw error
            }
            turn?.opened(Self.ways(turn, certificates, listener.port, turnListener?.port))
            logger.notice("listening", metadata: ["port": "\(listener.port)"])
            return GatewayServer(
                listener: listener, turnListener: turnListener, group: group, gateway: gateway, socketIO: socketIO,
                http2: pipeline.http2,
                feed: feed, webhooks: webhooks, certificates: certificates, access: access, requests: router.open,
                rooms: rooms, metrics: metrics, metricsInterval: configuration.metricsInterval, logger: logger,
                opened: opened, handshakes: handshakes, counters: counters)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    /// Opens the TURN server's own port, if it has one.
    private static func listen(
        _ configuration: GatewayConfiguration, _ turn: TURNService?, _ rooms: RoomRegistry,
        on group: any EventLoopGroup, _ pipeline: ConnectionPipeline
    ) async throws(GatewayError) -> TURNListener? {
        guard let turn, let port = configuration.turn.port else { return nil }
        let listener = try await TURNListener.bind(port: port, service: turn, on: group, pipeline: pipeline)
        var hosts: [String] = []
        for address in rooms.endpoints.flatMap(\.addresses).map(\.address) where !hosts.contains(address) {
            hosts.append(address)
        }
        turn.listens(
            at: hosts.prefix(2).flatMap { host in
                let name = host.contains(":") ? "[\(host)]" : host
                return ["udp", "tcp"].map { "turn:\(name):\(port)?transport=\($0)" }
            })
        return listener
    }

    private static func ways(
        _ turn: TURNService?, _ certificates: TLSCertificates, _ port: Int, _ own: UInt16?
    ) -> String? {
        var ways: [String] = []
        if certificates.context != nil {
            ways.append("TLS \(port)")
        } else if turn?.isBehindBalancer == true {
            ways.append("TCP \(port)")
        }
        if let own { ways += ["UDP \(own)", "TCP \(own)"] }
        return ways.isEmpty ? nil : ways.joined(separator: ", ")
    }

    private init(
        listener: HTTPListener, turnListener: TURNListener?,
        group: MultiThreadedEventLoopGroup, gateway: SignalingGateway,
        socketIO: SocketIOServer, http2: HTTP2Connections, feed: RoomEventFeed, webhooks: Webhooks,
        certificates: TLSCertificates,
        access: AccessControl, requests: OpenRequests, rooms: RoomRegistry, metrics: MetricsExposition,
        metricsInterval: Duration, logger: Logger,
        opened: AsyncStream<(WebSocketConnection, SignalingHandshake)>,
        handshakes: AsyncStream<(WebSocketConnection, SignalingHandshake)>.Continuation, counters: GatewayCounters
    ) {
        self.listener = listener
        self.turnListener = turnListener
        self.group = group
        self.gateway = gateway
        self.socketIO = socketIO
        self.http2 = http2
        self.feed = feed
        self.webhooks = webhooks
        self.certificates = certificates
        self.access = access
        self.requests = requests
        self.rooms = rooms
        self.metrics = metrics
        self.metricsInterval = metricsInterval
        self.logger = logger
        self.opened = opened
        self.handshakes = handshakes
        self.counters = counters
    }

    /// Serves clients, one task each; returns when `close` was called and the last of them is gone.
    ///
    /// If the program has bootstrapped swift-metrics before, its backend gets the server's metrics as long as this runs.
    public func run() async {
        // Ends, cancelled, with this function.
        async let _: Void = certificates.watch(logger: logger)
        async let _: Void = rooms.recordMinutes()
        async let _: Void = relayMetrics()
        async let polls: Void = socketIO.run()
        await opened.serveEach { connection, handshake in await self.gateway.serve(connection, handshake) }
        await polls
        await requests.close()
        try? await group.shutdownGracefully()
    }

    /// Gives the program's backend of swift-metrics what is counted, if it has chosen one.
    private func relayMetrics() async {
        let factory = MetricsSystem.factory
        guard !(factory is NOOPMetricsHandler) else { return }
        var relay = MetricsRelay(factory)
        repeat { relay.report(metrics.families()) } while (try? await Task.sleep(for: metricsInterval)) != nil
        relay.report(metrics.families())
        relay.end()
    }

    /// Whether a configuration's certificate can be used; what `start` would find out later, or in the middle of a call.
    /// - Throws: `GatewayError` with code `certificate`.
    public static func check(_ configuration: GatewayConfiguration) throws(GatewayError) {
        _ = try TLSCertificates(configuration.tls)
    }

    /// For how many more days the certificate may be used: below zero when its time is over, `nil` for a server without TLS.
    /// - Throws: `GatewayError` with code `certificate` when it cannot be used at all.
    public static func certificateDaysLeft(_ configuration: GatewayConfiguration) throws(GatewayError) -> Int? {
        try TLSCertificates(configuration.tls).context?.daysLeft
    }

    /// Exchanges keys, origins, limits and the admin token, and reads the certificate again if its files were replaced or changed.
    /// - Throws: `GatewayError` if the certificate cannot be used; the old one stays, and all else is replaced.
    public func reload(_ configuration: GatewayConfiguration) throws(GatewayError) {
        access.apply(configuration)
        if try certificates.reload(configuration.tls) { logger.notice("certificate reloaded") }
    }

    /// Takes no new peers: `/readyz` says so, and HTTP/2 clients are asked to open no more streams. Those that are there go on.
    public func drain() {
        access.drain()
        http2.drain()
    }

    /// Closes the listening socket; connections go on. HTTP/2 clients are asked to open no more streams.
    public func stopAccepting() async {
        await listener.close()
        await turnListener?.close()
        http2.drain()
    }

    /// Notifies every client that the server stops, and lets `run` return. Safe to call twice.
    public func close() async {
        await listener.close()
        await turnListener?.close()
        await gateway.close()
        socketIO.close()
        feed.close()
        await webhooks.close()
        handshakes.finish()
    }
}
