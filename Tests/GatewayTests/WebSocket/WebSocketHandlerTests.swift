import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing

@testable import RoundhouseGateway

/// The handler in virtual time: an embedded channel whose clock the test moves.
@Suite struct WebSocketHandlerTests {
    private final class Fixture {
        let channel = EmbeddedChannel()
        let counters = GatewayCounters()
        var connection: WebSocketConnection!
        init(loan: MemoryLoan = .testing, _ change: (inout GatewayLimits) -> Void = { _ in }) throws {
            var limits = GatewayLimits()
            change(&limits)
            let handler = WebSocketHandler(limits: limits, counters: counters, incoming: loan, outgoing: loan) {
                [unowned self] in
                connection = $0
            }
            try channel.pipeline.syncOperations.addHandler(handler)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        func receive(_ opcode: WebSocketOpcode, _ payload: [UInt8] = []) throws {
            let key: WebSocketMaskingKey = [9, 8, 7, 6]
            var data = ByteBuffer(bytes: payload)
            data.webSocketMask(key)
            try channel.writeInbound(WebSocketFrame(fin: true, opcode: opcode, maskKey: key, data: data))
        }

        func sent() throws -> [WebSocketFrame] {
            var frames: [WebSocketFrame] = []
            while let frame = try channel.readOutbound(as: WebSocketFrame.self) { frames.append(frame) }
            return frames
        }

        func sentCloseCode() throws -> UInt16? {
            try sent().first { $0.opcode == .connectionClose }?.data.getInteger(at: 0)
        }

        func advance(_ seconds: Int64) { channel.embeddedEventLoop.advanceTime(by: .seconds(seconds)) }
        func run() { channel.embeddedEventLoop.run() }
    }

    @Test func `a client that has been silent for twenty seconds is pinged, and any frame keeps it alive`() throws {
        let fixture = try Fixture()
        for _ in 0..<12 {
            fixture.advance(20)
            #expect(try fixture.sent().map(\.opcode) == [.ping])
            try fixture.receive(.pong)
        }
        #expect(fixture.channel.isActive)
    }

    @Test func `a client that speaks is not pinged`() throws {
        let fixture = try Fixture()
        for _ in 0..<12 {
            fixture.advance(15)
            try fixture.receive(.pong)
        }
        #expect(try fixture.sent().isEmpty)
        fixture.advance(20)
        #expect(try fixture.sent().map(\.opcode) == [.ping])
    }

    @Test func `clients that came at different times are pinged together`() throws {
        let fixture = try Fixture()
        fixture.advance(20)
        #expect(try fixture.sent().map(\.opcode) == [.ping])
        // On the loop's clock pings come at whole seconds only, whenever the client was heard last.
        fixture.channel.embeddedEventLoop.advanceTime(by: .milliseconds(730))
        try fixture.receive(.pong)
        fixture.channel.embeddedEventLoop.advanceTime(by: .milliseconds(19_269))
        #expect(try fixture.sent().isEmpty)
        fixture.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(try fixture.sent().map(\.opcode) == [.ping])
    }

    @Test func `a thousand clients of one loop share its timers, and those that are gone need none`() throws {
        let heartbeats = HeartbeatSchedules()
        let loop = EmbeddedEventLoop()
        var channels: [EmbeddedChannel] = []
        for number in 0..<1_000 {
            loop.advanceTime(by: .milliseconds(5))
            let handler = WebSocketHandler(
                limits: GatewayLimits(), counters: GatewayCounters(), incoming: .testing, outgoing: .testing,
                heartbeats: heartbeats
            ) { _ in }
            let channel = EmbeddedChannel(handler: handler, loop: loop)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            channels.append(channel)
            #expect(heartbeats.schedule(of: loop).momentCount <= 8, "\(number)")
        }
        for channel in channels[500...] { try channel.close().wait() }
        loop.advanceTime(by: .seconds(20))
        for (number, channel) in channels.enumerated() {
            let frame = try channel.readOutbound(as: WebSocketFrame.self)
            #expect((frame?.opcode == .ping) == (number < 500))
        }
        // Those that do not answer are gone, each thirty seconds after it came.
        loop.advanceTime(by: .seconds(11))
        #expect(channels.allSatisfy { !$0.isActive })
        #expect(heartbeats.schedule(of: loop).momentCount == 0)
    }

    @Test func `a client that is silent for thirty seconds is gone`() throws {
        let fixture = try Fixture()
        fixture.advance(20)
        #expect(fixture.channel.isActive)
        fixture.advance(9)
        #expect(fixture.channel.isActive)
        fixture.advance(1)
        #expect(!fixture.channel.isActive)
        #expect(fixture.counters.snapshot().closes == ["1006": 1])
    }

    @Test func `a ping is answered with its payload`() throws {
        let fixture = try Fixture()
        try fixture.receive(.ping, [1, 2, 3])
        let frames = try fixture.sent()
        #expect(frames.map(\.opcode) == [.pong])
        #expect(frames.first?.data == ByteBuffer(bytes: [1, 2, 3]))
    }

    @Test func `messages of any thread go out in the order they were sent`() throws {
        let fixture = try Fixture()
        for number in 0..<100 { fixture.connection.send("\(number)") }
        fixture.run()
        #expect(try fixture.sent().map { String(buffer: $0.data) } == (0..<100).map(String.init))
    }

    @Test func `a client that lets too much pile up is cut off, and its backlog dropped`() throws {
        let fixture = try Fixture { $0.outgoingBytes = 1000 }
        for _ in 0..<20 { fixture.connection.send(String(repeating: "x", count: 100)) }
        fixture.run()
        #expect(!fixture.channel.isActive)
        #expect(try fixture.sent().isEmpty)
    }

    @Test func `what the kernel took no longer counts as waiting`() throws {
        let fixture = try Fixture { $0.outgoingBytes = 1000 }
        for _ in 0..<50 {
            fixture.connection.send(String(repeating: "x", count: 500))
            fixture.run()
        }
        #expect(fixture.channel.isActive)
        #expect(try fixture.sent().count == 50)
    }

    @Test func `the server's close follows what was sent and ends with the client's answer`() throws {
        let fixture = try Fixture()
        fixture.connection.send("last")
        fixture.connection.close(.closedByServer, reason: String(repeating: "é", count: 100))
        fixture.connection.send("too late")
        fixture.run()
        let frames = try fixture.sent()
        #expect(frames.map(\.opcode) == [.text, .connectionClose])
        #expect((frames.last?.data.readableBytes ?? 0) <= 125)
        #expect(frames.last?.data.getInteger(at: 0, as: UInt16.self) == 4000)
        #expect(fixture.channel.isActive)
        try fixture.receive(.connectionClose, [0x0F, 0xA0])
        #expect(!fixture.channel.isActive)
    }

    @Test func `a client that does not answer a close is cut after two seconds`() throws {
        let fixture = try Fixture()
        fixture.connection.close(.goingAway)
        fixture.run()
        #expect(try fixture.sentCloseCode() == 1001)
        fixture.advance(1)
        #expect(fixture.channel.isActive)
        fixture.advance(1)
        #expect(!fixture.channel.isActive)
    }

    @Test func `the client's close is answered with its code and ends the connection`() throws {
        let fixture = try Fixture()
        try fixture.receive(.connectionClose, [0x0F, 0xA1])
        #expect(try fixture.sentCloseCode() == 4001)
        #expect(!fixture.channel.isActive)
        #expect(fixture.counters.snapshot().closes == ["other": 1])
    }

    @Test func `a violation is reported by its code, and what follows is not read`() throws {
        let fixture = try Fixture()
        try fixture.receive(.binary, [1])
        #expect(try fixture.sentCloseCode() == 1003)
        try fixture.receive(.text, Array("{}".utf8))
        try fixture.receive(.ping)
        #expect(try fixture.sent().isEmpty)
        #expect(fixture.counters.snapshot().closes == ["1003": 1])
    }

    @Test func `a frame announced longer than the limit closes with 1009`() throws {
        let fixture = try Fixture()
        fixture.channel.pipeline.fireErrorCaught(NIOWebSocketError.invalidFrameLength)
        #expect(try fixture.sentCloseCode() == 1009)
    }

    @Test
    func `a client whose address has no room for its message is closed with 1013, and what was kept is given back`()
        throws
    {
        let account = MemoryAccount(limit: MemoryLimit(1000)) {}
        let fixture = try Fixture(loan: account.loan())
        try fixture.receive(.text, Array("short".utf8))
        #expect(account.bytes == 69)
        try fixture.receive(.text, [UInt8](repeating: 0x20, count: 2000))
        #expect(try fixture.sentCloseCode() == 1013)
        #expect(account.bytes == 69)
    }

    @Test func `a client that pings and does not read the pongs is cut off`() throws {
        let account = MemoryAccount(limit: MemoryLimit(1000)) {}
        let fixture = try Fixture(loan: account.loan())
        // Embedded channels write at once what is flushed, so that nothing waits here.
        for _ in 0..<100 { try fixture.receive(.ping, [UInt8](repeating: 1, count: 100)) }
        #expect(fixture.channel.isActive && account.bytes == 0)
        let other = account.loan()
        #expect(other.take(900))
        try fixture.receive(.ping, [UInt8](repeating: 1, count: 100))
        #expect(!fixture.channel.isActive)
    }

    @Test func `reading stops while messages wait, and goes on when they are taken`() async throws {
        let loop = NIOAsyncTestingEventLoop()
        let channel = NIOAsyncTestingChannel(loop: loop)
        let reads = ReadCounter()
        let (stream, continuation) = AsyncStream.makeStream(of: WebSocketConnection.self)
        try await channel.testingEventLoop.executeInContext {
            try channel.pipeline.syncOperations.addHandler(reads)
            try channel.pipeline.syncOperations.addHandler(
                WebSocketHandler(
                    limits: GatewayLimits(), counters: GatewayCounters(), incoming: .testing, outgoing: .testing
                ) {
                    continuation.yield($0)
                })
        }
        var connections = stream.makeAsyncIterator()
        let connection = try #require(await connections.next())
        let key: WebSocketMaskingKey = [0, 0, 0, 0]
        for number in 0..<10 {
            try await channel.writeInbound(
                WebSocketFrame(fin: true, opcode: .text, maskKey: key, data: ByteBuffer(string: "\(number)")))
        }
        let before = try await loop.executeInContext { reads.count }
        try await loop.executeInContext { channel.pipeline.read() }
        #expect(try await loop.executeInContext { reads.count } == before)
        let messages = connection.messages.makeAsyncIterator()
        for number in 0..<10 { #expect(await messages.next()?.text == "\(number)") }
        await loop.run()
        #expect(try await loop.executeInContext { reads.count } == before + 1)
        try await channel.close()
    }

    private final class ReadCounter: ChannelOutboundHandler, @unchecked Sendable {
        // Sendable: touched on the event loop only.
        typealias OutboundIn = Any
        var count = 0
        func read(context: ChannelHandlerContext) {
            count += 1
            context.read()
        }
    }
}
