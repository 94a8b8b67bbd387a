import Logging
import RoundhouseMedia
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// A gateway on a free loopback port, with rooms whose media commands go nowhere.
struct TestServer {
    let gateway: GatewayServer
    let rooms: RoomRegistry

    var port: Int { gateway.port }

    /// Runs `body` against a server and stops it afterwards, the way the process does.
    static func with(
        limits: GatewayLimits = .patient, adminToken: Secret? = nil,
        rooms configuration: RoomConfiguration = RoomConfiguration(),
        _ body: (TestServer) async throws -> Void
    ) async throws {
        let rooms = try RoomRegistry(
            media: .recording { _, _ in true }, configuration: configuration, logger: silentLogger)
        var settings = GatewayConfiguration(host: "127.0.0.1", port: 0, limits: limits)
        settings.adminToken = adminToken
        let gateway = try await GatewayServer.start(
            settings, rooms: rooms, mediaCounters: { [sampleCounters] }, logger: silentLogger)
        async let running: Void = gateway.run()
        let server = TestServer(gateway: gateway, rooms: rooms)
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(server)) } catch { outcome = .failure(error) }
        await server.stop()
        await running
        try outcome.get()
    }

    func stop() async {
        await gateway.stopAccepting()
        await rooms.close(.shutdown)
        await gateway.close()
    }

    func connect() async throws -> RawClient { try await RawClient.connect(port: port) }

    func join(_ peer: String, room: String = "lobby") async throws -> WebSocketClient {
        try await WebSocketClient.open(port: port, target: "/?roomId=\(room)&peerId=\(peer)")
    }

    static let sampleCounters = ShardCounters(
        shard: 0, values: [("packets_received", 12), ("packets_forwarded", 34)], drops: [("replayed", 5)],
        cpuSeconds: 1.5)

    static var silentLogger: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

extension GatewayLimits {
    /// No deadline ends a connection: tests share their cores with others, so any real one can pass between two lines. A
    /// test of a deadline sets that one, and nothing after it may depend on how fast the machine is.
    static var patient: GatewayLimits {
        var limits = GatewayLimits()
        limits.requestTimeout = .seconds(3600)
        limits.connectTimeout = .seconds(3600)
        limits.keepAliveTimeout = .seconds(3600)
        limits.pingInterval = .seconds(3600)
        limits.commentInterval = .seconds(3600)
        limits.silenceTimeout = .seconds(7200)
        limits.responseTimeout = .seconds(3600)
        limits.resumptionWindow = .seconds(3600)
        limits.eventsWindow = .seconds(3600)
        limits.enginePingInterval = .seconds(3600)
        limits.enginePingTimeout = .seconds(3600)
        limits.mediaConnectTimeout = .seconds(3600)
        limits.broadcasterIdleTimeout = .seconds(3600)
        return limits
    }
}
