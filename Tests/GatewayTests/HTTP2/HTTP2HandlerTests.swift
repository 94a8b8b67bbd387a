import Logging
import NIOCore
import NIOEmbedded
import RoundhouseMedia
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// WebSocket tunnels (RFC 8441) and their windows in virtual time: the whole pipeline on an embedded channel.
@Suite struct HTTP2HandlerTests {
    private final class Fixture {
        let channel = EmbeddedChannel()
        let counters = GatewayCounters()
        var tunnels: [WebSocketConnection] = []
        private var rest: [UInt8] = []

        init(_ change: (inout GatewayLimits) -> Void = { _ in }) throws {
            var limits = GatewayLimits()
            change(&limits)
            let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
            let pipeline = try ConnectionPipeline.embedded(limits: limits, counters: counters) { connection, _ in
                bound.value.tunnels.append(connection)
            }
            try pipeline.begin(on: channel)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            try channel.writeInbound(ByteBuffer(bytes: HTTP2Frame.opening))
            _ = try sent()
        }

        func receive(_ frames: HTTP2Frame...) throws {
            try channel.writeInbound(ByteBuffer(bytes: frames.flatMap(\.bytes)))
        }

        func openTunnel(_ stream: UInt32) throws {
            let fields = [
                (":protocol", "websocket"), ("sec-websocket-version", "13"), ("sec-websocket-protocol", "protoo"),
            ]
            let head = HTTP2Frame.request("CONNECT", "/?roomId=lobby&peerId=p\(stream)") + fields
            try receive(.head(stream, head, isEnd: false))
            #expect(try sent().contains { $0.kind == .headers && $0.stream == stream })
        }

        /// A text message of a client, in one frame.
        func receiveText(_ text: String, on stream: UInt32) throws {
            try receive(.data(stream, WebSocketClient.frame(1, Array(text.utf8))))
        }

        func sent() throws -> [HTTP2Frame] {
            while let bytes = try channel.readOutbound(as: ByteBuffer.self) { rest += Array(bytes.readableBytesView) }
            return HTTP2Frame.take(from: &rest)
        }

        func bytesSent(on stream: UInt32) throws -> [UInt8] {
            try sent().filter { $0.kind == .data && $0.stream == stream }.flatMap(\.payload)
        }

        func advance(_ seconds: Int64) { channel.embeddedEventLoop.advanceTime(by: .seconds(seconds)) }
        func run() { channel.embeddedEventLoop.run() }
    }

    private static let ping: [UInt8] = [0x89, 0]

    @Test func `each tunnel has a heartbeat of its own`() throws {
        let fixture = try Fixture()
        try fixture.openTunnel(1)
        fixture.advance(5)
        try fixture.openTunnel(3)
        fixture.advance(15)
        #expect(try fixture.bytesSent(on: 1) == Self.ping)
        fixture.advance(5)
        let frames = try fixture.sent()
        #expect(frames.filter { $0.kind == .data }.map(\.stream) == [3])
    }

    @Test func `a tunnel whose client is silent for thirty seconds ends, and its neighbor stays`() throws {
        let fixture = try Fixture()
        try fixture.openTunnel(1)
        try fixture.openTunnel(3)
        for _ in 0..<4 {
            fixture.advance(10)
            try fixture.receive(.data(3, WebSocketClient.frame(10, [])))
        }
        let frames = try fixture.sent()
        #expect(frames.contains { $0.stream == 1 && ($0.kind == .reset || $0.flags & HTTP2Frame.endStream != 0) })
        #expect(!frames.contains { $0.stream == 3 && ($0.kind == .reset || $0.flags & HTTP2Frame.endStream != 0) })
        #expect(fixture.channel.isActive)
        #expect(fixture.tunnels[0].ending == .lost)
        #expect(fixture.counters.snapshot().closes == ["1006": 1])
    }

    @Test func `what a client's window does not hold waits, in order, until it opens`() throws {
        let fixture = try Fixture()
        try fixture.openTunnel(1)
        let text = String(repeating: "x", count: 100_000)
        fixture.tunnels[0].send(text)
        fixture.tunnels[0].send("end")
        fixture.run()
        var received = try fixture.bytesSent(on: 1)
        #expect(received.count == 65_535)
        // Small steps, the connection's window ahead of the stream's and behind it.
        try fixture.receive(.windowUpdate(0, by: 100_000))
        #expect(try fixture.bytesSent(on: 1).isEmpty)
        for _ in 0..<10 {
            try fixture.receive(.windowUpdate(1, by: 5_000))
            fixture.run()
            received += try fixture.bytesSent(on: 1)
        }
        let expected: [UInt8] =
            [0x81, 127, 0, 0, 0, 0, 0, 1, 0x86, 0xA0] + Array(text.utf8) + [0x81, 3] + Array("end".utf8)
        #expect(received == expected)
    }

    @Test func `a client that never opens its window is cut off when too much waits, and its neighbor is not`() throws {
        let fixture = try Fixture { $0.outgoingBytes = 150_000 }
        try fixture.openTunnel(1)
        try fixture.openTunnel(3)
        try fixture.receive(.windowUpdate(0, by: 1_000_000))
        for _ in 0..<3 {
            fixture.tunnels[0].send(String(repeating: "x", count: 70_000))
            fixture.run()
        }
        _ = try fixture.sent()
        #expect(fixture.tunnels[0].ending == .lost)
        fixture.advance(2)
        #expect(try fixture.sent().contains { $0.stream == 1 && $0.kind == .reset })
        fixture.tunnels[1].send("hello")
        fixture.run()
        #expect(try fixture.bytesSent(on: 3) == [0x81, 5] + Array("hello".utf8))
    }

    @Test func `a client whose messages nobody takes finds its window shut, and that of its neighbor open`() throws {
        let fixture = try Fixture()
        try fixture.openTunnel(1)
        try fixture.openTunnel(3)
        let text = String(repeating: "x", count: 5_992)
        // A frame of 6,000 bytes: eight fill the queue, and two more the stream's window.
        for _ in 0..<10 { try fixture.receiveText(text, on: 1) }
        let opened = try fixture.sent().filter { $0.kind == .windowUpdate && $0.stream == 1 }
        #expect(opened.count < 10)
        try fixture.receive(.data(1, [UInt8](repeating: 0, count: 5_536)))
        #expect(try !fixture.sent().contains { $0.stream == 1 }, "what is left waits unread")
        try fixture.receiveText("hello", on: 3)
        #expect(fixture.channel.isActive)
        fixture.tunnels[1].send("hello")
        fixture.run()
        #expect(try fixture.bytesSent(on: 3) == [0x81, 5] + Array("hello".utf8))
    }

    @Test func `a connection without streams is drained after thirty seconds, one with a tunnel is not`() throws {
        let fixture = try Fixture()
        try fixture.openTunnel(1)
        for _ in 0..<6 {
            fixture.advance(10)
            try fixture.receive(.data(1, WebSocketClient.frame(10, [])))
        }
        #expect(try !fixture.sent().contains { $0.kind == .goAway })
        try fixture.receive(.reset(1))
        fixture.advance(29)
        #expect(try !fixture.sent().contains { $0.kind == .goAway })
        fixture.advance(2)
        #expect(try fixture.sent().contains { $0.kind == .goAway })
    }

    @Test func `a close goes out behind what was sent, and the client's own ends the stream`() throws {
        let fixture = try Fixture()
        try fixture.openTunnel(1)
        fixture.tunnels[0].send("last")
        fixture.tunnels[0].close(.closedByServer, reason: "bye")
        fixture.run()
        #expect(
            try fixture.bytesSent(on: 1)
                == [0x81, 4] + Array("last".utf8) + [0x88, 5, 0x0F, 0xA0] + Array("bye".utf8))
        try fixture.receive(.data(1, WebSocketClient.frame(8, [0x0F, 0xA0]), isEnd: true))
        fixture.run()
        #expect(try fixture.sent().contains { $0.stream == 1 && $0.flags & HTTP2Frame.endStream != 0 })
        #expect(fixture.tunnels[0].ending == .closedByServer)
        #expect(fixture.channel.isActive)
    }
}
