import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import RoundhouseGateway

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite struct SetUpFailureTests {
    /// Listens with the server's own bootstrap, as `change` alters it, and hands a client's view of it to `body`.
    private func listen(
        counters: GatewayCounters, log: LogLines = LogLines(),
        _ change: (ServerBootstrap) -> ServerBootstrap, _ body: (Int) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        var pipeline = try ConnectionPipeline.embedded(counters: counters)
        pipeline.failures = SetUpFailures(counters: counters, logger: log.logger)
        let channel = try await change(HTTPListener.bootstrap(on: group, pipeline: pipeline))
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(try #require(channel.localAddress?.port))
        } catch {
            try? await channel.close()
            throw error
        }
        try await channel.close()
    }

    @Test func `an accepted connection sends at once, and needs no option that wants a privilege`() async throws {
        let options = Mutex<[CInt]>([])
        try await listen(counters: GatewayCounters()) { bootstrap in
            bootstrap.childChannelInitializer { channel in
                let noDelay = channel.getOption(.tcpOption(.tcp_nodelay))
                // Also for a process that may: others are refused it (socket(7)), and with it every connection.
                let debug = channel.getOption(.socketOption(.init(rawValue: SO_DEBUG)))
                return noDelay.and(debug).map { values in
                    options.withLock { $0 = [CInt(values.0), CInt(values.1)] }
                }
            }
        } _: { port in
            let client = try await RawClient.connect(port: port)
            try await eventually { options.withLock { !$0.isEmpty } }
            await client.close()
        }
        #expect(options.withLock { $0 } == [1, 0])
    }

    @Test func `a connection whose option cannot be set is closed, counted and logged`() async throws {
        let counters = GatewayCounters()
        let log = LogLines()
        try await listen(counters: counters, log: log) { bootstrap in
            // No such option: ENOPROTOOPT.
            bootstrap.childChannelOption(.socketOption(.init(rawValue: 9999)), value: 1)
        } _: { port in
            let client = try await RawClient.connect(port: port)
            #expect(await client.readToEnd() == "")
            try await eventually { counters.snapshot().refusedConnections["set_up_failed"] == 1 }
        }
        #expect(counters.snapshot().openConnections == 0)
        #expect(log.all.count == 1)
        #expect(log.all.first?.hasPrefix("warning a connection could not be set up error=") == true)
        #expect(log.all.first?.contains("errno: \(ENOPROTOOPT)") == true)
    }

    @Test func `a connection whose initializer fails is closed, counted and logged`() async throws {
        struct NoPipeline: Error {}
        let counters = GatewayCounters()
        let log = LogLines()
        try await listen(counters: counters, log: log) { bootstrap in
            bootstrap.childChannelInitializer { $0.eventLoop.makeFailedFuture(NoPipeline()) }
        } _: { port in
            let client = try await RawClient.connect(port: port)
            #expect(await client.readToEnd() == "")
            try await eventually { counters.snapshot().refusedConnections["set_up_failed"] == 1 }
        }
        #expect(log.all == ["warning a connection could not be set up error=NoPipeline()"])
    }

    @Test func `a connection that is one too many, or whose client has gone, is no failure`() {
        let counters = GatewayCounters()
        let log = LogLines()
        let failures = SetUpFailures(counters: counters, logger: log.logger)
        let harmless: [any Error] = [
            ConnectionRefused(), ChannelError.ioOnClosedChannel, ChannelError.eof, ChannelError.alreadyClosed,
        ]
        for error in harmless { failures.occurred(error) }
        #expect(counters.snapshot().refusedConnections.isEmpty)
        #expect(log.all.isEmpty)
    }

    @Test func `lines that strangers cause are limited, and the next one says how many were left out`() {
        let start = NIODeadline.uptimeNanoseconds(0)
        let lines = LogLines()
        let log = LimitedLog(lines.logger, now: start)
        for number in 1...25 { log.warning("line \(number)", now: start) }
        #expect(lines.all == (1...10).map { "warning line \($0)" })
        log.warning("line 26", now: start + .milliseconds(999))
        #expect(lines.all.count == 10)
        log.warning("line 27", metadata: ["a": "b"], now: start + .seconds(1))
        #expect(lines.all.last == "warning line 27 a=b left-out=16")
        log.warning("line 28", now: start + .seconds(2))
        #expect(lines.all.last == "warning line 28")
    }
}
