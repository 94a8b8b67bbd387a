import NIOCore
import NIOEmbedded
import Testing

@testable import RoundhouseGateway

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite struct AcceptGuardTests {
    @Test(arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM])
    func `without descriptors or memory accepting pauses, is counted, and goes on`(code: CInt) throws {
        let counters = GatewayCounters()
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(AcceptGuard(limit: 10, counters: counters))
        // The embedded channel keeps each option's last value.
        func switches() -> [Bool] { channel.options.compactMap { $0.value as? Bool } }
        for _ in 0..<3 { channel.pipeline.fireErrorCaught(IOError(errnoCode: code, reason: "accept")) }
        #expect(switches() == [false])
        #expect(counters.snapshot().acceptFailures == 3)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(199))
        #expect(switches() == [false])
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(switches() == [true])
        channel.pipeline.fireErrorCaught(IOError(errnoCode: code, reason: "accept"))
        #expect(switches() == [false])
        try channel.throwIfErrorCaught()
    }

    @Test func `another error is passed on`() throws {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(AcceptGuard(limit: 10, counters: GatewayCounters()))
        channel.pipeline.fireErrorCaught(IOError(errnoCode: EINVAL, reason: "accept"))
        #expect(throws: IOError.self) { try channel.throwIfErrorCaught() }
    }

    @Test func `connections beyond the limit are closed, and one that ends makes room`() throws {
        let counters = GatewayCounters()
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(AcceptGuard(limit: 1, counters: counters))
        let connections = (0..<3).map { _ in EmbeddedChannel() }
        for connection in connections {
            try connection.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }
        try channel.writeInbound(connections[0] as any Channel)
        try channel.writeInbound(connections[1] as any Channel)
        #expect(connections[0].isActive)
        #expect(!connections[1].isActive)
        try connections[0].close().wait()
        connections[0].embeddedEventLoop.run()
        try channel.writeInbound(connections[2] as any Channel)
        #expect(connections[2].isActive)
        let snapshot = counters.snapshot()
        #expect(snapshot.openConnections == 1)
        #expect(snapshot.acceptedConnections == 2)
        #expect(snapshot.refusedConnections == ["too_many_connections": 1])
    }
}
