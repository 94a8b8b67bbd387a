import COpenSSL
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import RoundhouseGateway

/// The whole pipeline of a server with a certificate, on an embedded channel.
@Suite struct ProtocolSelectorTests {
    private let counters = GatewayCounters()
    private let log = LogLines()

    private func open() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        let pipeline = try ConnectionPipeline.embedded(counters: counters, tls: .selfSigned, logger: log.logger)
        try pipeline.begin(on: channel)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    @Test(
        arguments: [
            (["h2", "http/1.1"], .http2), (["http/1.1"], .http1), ([], .http1),
        ] as [([String], HTTPVersionName)])
    func `ALPN chooses the version of HTTP`(offered: [String], version: HTTPVersionName) throws {
        let channel = try open()
        let client = try TLSClient(offered)
        try channel.exchange(with: client)
        let snapshot = counters.snapshot()
        #expect(snapshot.tlsConnections == 1 && snapshot.httpConnections == [version: 1])
        // HTTP/2's server speaks first (RFC 9113 §3.4): SETTINGS, whose type is 4.
        let first = client.read()
        #expect(version == .http1 ? first.isEmpty : first.dropFirst(3).first == 4)
        #expect(snapshot.refusedConnections.isEmpty && log.all.isEmpty)
    }

    @Test func `an answer over TLS is whole, and ends with close_notify`() throws {
        let channel = try open()
        let client = try TLSClient()
        try channel.exchange(with: client)
        try client.write("BREW\r\n\r\n")
        try channel.exchange(with: client)
        #expect(String(decoding: client.read(), as: UTF8.self).hasPrefix("HTTP/1.1 400 "))
        #expect(client.hasEnded)
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive)
    }

    @Test func `HTTP without TLS is answered on the same port`() throws {
        let channel = try open()
        try channel.receive("BREW\r\n\r\n".utf8)
        #expect(try String(decoding: channel.takeOutput(), as: UTF8.self).hasPrefix("HTTP/1.1 400 "))
        #expect(counters.snapshot().tlsConnections == 0)
    }

    @Test func `a handshake that fails is counted once, and the log says why`() throws {
        let channel = try open()
        let client = try TLSClient(versions: TLS1_VERSION...TLS1_1_VERSION)
        _ = client.handshake()
        let hello = client.takeOutput()
        try channel.receive(hello)
        try channel.receive(hello)
        #expect(!channel.isActive)
        #expect(counters.snapshot().refusedConnections == ["tls_handshake": 1])
        #expect(log.all == ["info a TLS handshake failed error=unsupported protocol"])
    }

    @Test func `a client that goes in the middle of a handshake is not counted`() throws {
        let channel = try open()
        let client = try TLSClient()
        _ = client.handshake()
        try channel.receive(client.takeOutput().dropLast())
        try channel.close().wait()
        #expect(counters.snapshot().refusedConnections.isEmpty && log.all.isEmpty)
    }

    @Test(arguments: [0, 1, 200])
    func `a handshake has ten seconds`(bytes: Int) throws {
        let channel = try open()
        let client = try TLSClient()
        _ = client.handshake()
        let hello = client.takeOutput()
        try channel.receive(hello.prefix(bytes))
        channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
        #expect(counters.snapshot().refusedConnections == ["slow_request": 1])
    }
}
