import Logging
import NIOCore
import NIOEmbedded
import RoundhouseMedia
import RoundhouseRooms

@testable import RoundhouseGateway

extension ConnectionPipeline {
    /// What connections of embedded channels go through, in virtual time; the rooms' media commands go nowhere.
    static func embedded(
        limits: GatewayLimits = GatewayLimits(), counters: GatewayCounters, tls: TLSSettings? = nil,
        logger: Logger = TestServer.silentLogger,
        opened: @escaping @Sendable (WebSocketConnection, SignalingHandshake) -> Void = { _, _ in }
    ) throws -> ConnectionPipeline {
        let rooms = try RoomRegistry(media: .recording { _, _ in true })
        let access = AccessControl(limits: limits, counters: counters)
        let router = HTTPRouter.testing(
            rooms: rooms, access: access, counters: counters, group: EmbeddedEventLoop(), logger: logger)
        return ConnectionPipeline(
            access: access, router: router, counters: counters,
            failures: SetUpFailures(counters: counters, logger: logger), certificates: try TLSCertificates(tls),
            http2: HTTP2Connections(), opened: opened)
    }
}

extension HTTPRouter {
    /// The page, whose entity tags take a while in a debug build.
    private static let page = StaticAssets()

    /// What answers requests, without a connection that brings them.
    static func testing(
        rooms: RoomRegistry, access: AccessControl, counters: GatewayCounters, group: any EventLoopGroup,
        logger: Logger = TestServer.silentLogger
    ) -> HTTPRouter {
        let socketIO = SocketIOServer(rooms: rooms, access: access, group: group, counters: counters, logger: logger)
        let gateway = SignalingGateway(
            rooms: rooms, socketIO: socketIO, sessions: SignalingSessions(limit: 1000), access: access,
            counters: counters, logger: logger)
        return HTTPRouter(
            assets: page,
            state: StateAPI(registry: rooms, admin: AdminAccess(access: access), media: { [] }),
            metrics: MetricsExposition(counters: counters, registry: rooms, media: { [] }),
            roomEntry: RoomEntryAPI(rooms: rooms, access: access), socketIO: socketIO,
            whip: WHIPEndpoints(rooms: rooms, access: access, logger: logger),
            peers: PeerEndpoints(gateway: gateway, rooms: rooms, access: access, group: group),
            broadcasters: BroadcasterEndpoints(rooms: rooms, access: access, counters: counters, logger: logger),
            access: access)
    }
}
