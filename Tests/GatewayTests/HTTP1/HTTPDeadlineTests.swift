import Logging
import NIOCore
import NIOEmbedded
import RoundhouseMedia
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// Slow clients in virtual time: the whole pipeline on an embedded channel.
@Suite struct HTTPDeadlineTests {
    private let counters = GatewayCounters()

    private func open() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        let pipeline = try ConnectionPipeline.embedded(counters: counters)
        try pipeline.begin(on: channel)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    private func sent(_ channel: EmbeddedChannel) throws -> String {
        var text = ""
        while let part = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: part) }
        return text
    }

    @Test func `a byte a second does not keep a connection open`() throws {
        let channel = try open()
        for byte in "GET / HTTP".utf8 {
            #expect(channel.isActive)
            try channel.writeInbound(ByteBuffer(bytes: [byte]))
            channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        }
        #expect(!channel.isActive)
        #expect(try sent(channel) == "")
        #expect(counters.snapshot().refusedConnections == ["slow_request": 1])
    }

    @Test func `a body that does not come is answered with 408 before the connection ends`() throws {
        let channel = try open()
        try channel.writeInbound(ByteBuffer(string: "POST /rooms HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"))
        channel.embeddedEventLoop.advanceTime(by: .seconds(10))
        #expect(try sent(channel).hasPrefix("HTTP/1.1 408 "))
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive)
    }

    @Test func `a client that waits with its body is asked for it, or refused, at once`() throws {
        func head(_ length: Int, version: String = "1.1") -> String {
            "POST /isRoomExisted HTTP/\(version)\r\nHost: x\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(length)\r\nExpect: 100-Continue\r\n\r\n"
        }
        let channel = try open()
        try channel.writeInbound(ByteBuffer(string: head(13)))
        #expect(try sent(channel) == "HTTP/1.1 100 Continue\r\n\r\n")
        let large = try open()
        try large.writeInbound(ByteBuffer(string: head(99_999_999)))
        #expect(try sent(large).hasPrefix("HTTP/1.1 413 "))
        // Before HTTP/1.1 there was no such word.
        let old = try open()
        try old.writeInbound(ByteBuffer(string: head(13, version: "1.0")))
        #expect(try sent(old) == "")
        for channel in [channel, old] { try? channel.close().wait() }
    }

    @Test(arguments: [
        "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r", "PRI / HTTP/1.1\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\0\0\0\0\0\0", "INVALID CONNECTION PREFACE\r\n\r\n",
    ])
    func `a client that means HTTP/2 and does not begin with its preface is not waited for`(_ text: String) throws {
        let channel = try open()
        // Also when it comes in pieces.
        for byte in text.utf8 where channel.isActive { _ = try? channel.writeInbound(ByteBuffer(bytes: [byte])) }
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive)
    }

    @Test func `a connection that says nothing is ended after ten seconds`() throws {
        let channel = try open()
        channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }
}
