import NIOCore
import NIOEmbedded
import Testing

@testable import Gateway

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite struct AcceptGuardTests {
    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = Any
        var count = 0
        func read(context: ChannelHandlerContext) { count += 1 }
    }

    @Test(arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM])
    func `without descriptors or memory accepting pauses, is counted, and goes on`(code: CInt) throws {
        let counters = GatewayCounters()
        let channel = EmbeddedChannel()
        let reads = ReadCounter()
        try channel.pipeline.syncOperations.addHandlers([reads, AcceptGuard(limit: 10, counters: counters)])
        channel.pipeline.read()
        #expect(reads.count == 1)
        for _ in 0..<3 { channel.pipeline.fireErrorCaught(IOError(errnoCode: code, reason: "accept")) }
        channel.pipeline.read()
        channel.pipeline.read()
        #expect(reads.count == 1)
        #expect(counters.snapshot().acceptFailures == 3)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(200))
        #expect(reads.count == 2)
        channel.pipeline.read()
        #expect(reads.count == 3)
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
