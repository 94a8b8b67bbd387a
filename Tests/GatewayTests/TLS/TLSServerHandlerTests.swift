import COpenSSL
import NIOCore
import NIOEmbedded
import Testing

@testable import RoundhouseGateway

@Suite struct TLSServerHandlerTests {
    private static let context = Result { try TLSContext.selfSigned() }
    private static let versions = [TLS1_2_VERSION, TLS1_3_VERSION]

    private func server() throws -> TLSChannel { try TLSChannel(Self.context.get()) }

    /// A client and a server that have shaken hands.
    private func connected(_ version: Int32 = TLS1_3_VERSION) throws -> (server: TLSChannel, client: TLSClient) {
        let (server, client) = (try server(), try TLSClient(versions: version...version))
        try server.exchange(with: client)
        try #require(server.observer.handshakes.count == 1)
        return (server, client)
    }

    private func promise(_ server: TLSChannel) -> EventLoopPromise<Void> {
        server.channel.eventLoop.makePromise(of: Void.self)
    }

    /// What became of a promise, which nothing settles later: waiting for it would be forever.
    private func settled(_ promise: EventLoopPromise<Void>) throws {
        let result = NIOLoopBoundBox<Result<Void, any Error>?>(nil, eventLoop: promise.futureResult.eventLoop)
        promise.futureResult.whenComplete { result.value = $0 }
        guard let result = result.value else { throw NotSettled() }
        try result.get()
    }

    private struct NotSettled: Error {}

    private func write(_ text: String, _ server: TLSChannel) throws {
        let written = promise(server)
        server.channel.writeAndFlush(ByteBuffer(string: text), promise: written)
        try settled(written)
    }

    @Test(arguments: versions, [1, 7, 1000, .max])
    func `what is written at one end is read at the other, however the bytes arrive`(
        version: Int32, piece: Int
    ) throws {
        let (server, client) = (try server(), try TLSClient(["h2", "http/1.1"], versions: version...version))
        try server.exchange(with: client, piece: piece)
        #expect(server.observer.handshakes == ["h2"])
        #expect(SSL_version(client.ssl) == version)
        try client.write("up")
        try server.exchange(with: client, piece: piece)
        try write("down", server)
        try server.exchange(with: client, piece: piece)
        #expect(server.observer.received == Array("up".utf8))
        #expect(client.read() == Array("down".utf8))
        #expect(server.observer.handshakes.count == 1 && server.observer.problems.isEmpty)
    }

    @Test(
        arguments: [
            ([], nil), (["h2"], "h2"), (["http/1.1"], "http/1.1"), (["http/1.1", "h2"], "h2"),
            (["h3", "http/1.1"], "http/1.1"), (["spdy/3"], nil), (["h"], nil), (["h22", "http/1.10"], nil),
            ((0..<200).map { "x\($0)" } + ["h2"], "h2"),
        ] as [([String], String?)])
    func `HTTP 2 is chosen if it is offered, else HTTP 1`(offered: [String], chosen: String?) throws {
        let (server, client) = (try server(), try TLSClient(offered))
        try server.exchange(with: client)
        #expect(server.observer.handshakes == [chosen])
    }

    @Test func `bytes that come with the handshake's last ones are delivered after it`() throws {
        let (server, client) = (try server(), try TLSClient())
        _ = client.handshake()
        try server.receive(client.takeOutput())
        client.receive(try server.takeOutput())
        #expect(client.handshake())
        try client.write("at once")
        try server.receive(client.takeOutput())
        #expect(server.observer.handshakes.count == 1)
        #expect(server.observer.received == Array("at once".utf8))
    }

    @Test(arguments: versions)
    func `no session is resumed, and no ticket is given`(version: Int32) throws {
        let (server, client) = try connected(version)
        try write("x", server)
        try server.exchange(with: client)
        #expect(client.read() == Array("x".utf8))
        let session = try #require(SSL_get1_session(client.ssl))
        defer { SSL_SESSION_free(session) }
        #expect(SSL_SESSION_has_ticket(session) == 0)
        let again = try TLSClient(versions: version...version)
        SSL_set_session(again.ssl, session)
        let other = try self.server()
        try other.exchange(with: again)
        #expect(other.observer.handshakes.count == 1)
        #expect(SSL_session_reused(again.ssl) == 0)
    }

    // MARK: Writing

    @Test(arguments: versions)
    func `small writes of one flush are one record, and a large one is many`(version: Int32) throws {
        let (server, client) = try connected(version)
        let promises = (0..<100).map { _ in promise(server) }
        for (number, promise) in promises.enumerated() {
            server.channel.write(ByteBuffer(string: "\(number % 10)"), promise: promise)
        }
        #expect(try server.takeOutput().isEmpty)
        server.channel.flush()
        for promise in promises { try settled(promise) }
        let records = try server.takeOutput()
        #expect(records.count < 100 + 64)
        client.receive(records)
        #expect(client.read().count == 100)

        let large = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        // Around the longest record, and between writes that join and writes that do not.
        for sizes in [[1_000_000], [16_383, 1, 1], [16_384, 16_385, 1], [0, 0], [5, 40_000, 5, 16_380, 4]] {
            let written = sizes.map { size in
                let promise = promise(server)
                server.channel.write(ByteBuffer(bytes: large[..<size]), promise: promise)
                return promise
            }
            server.channel.flush()
            for promise in written { try settled(promise) }
            client.receive(try server.takeOutput())
            #expect(client.read() == sizes.flatMap { large[..<$0] })
        }
    }

    @Test(arguments: versions)
    func `a megabyte arrives whole, in pieces that end anywhere`(version: Int32) throws {
        let (server, client) = try connected(version)
        let large = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try client.write(large)
        try server.exchange(with: client, piece: 4999)
        #expect(server.observer.received == large)
    }

    @Test func `a write is done when the socket has taken its records, and not before`() throws {
        let (server, client) = try connected()
        server.holdsWrites = true
        let (first, second) = (promise(server), promise(server))
        server.channel.writeAndFlush(ByteBuffer(string: "first"), promise: first)
        server.channel.writeAndFlush(ByteBuffer(string: "second"), promise: second)
        #expect(throws: NotSettled.self) { try settled(first) }
        server.holdsWrites = false
        try settled(first)
        try settled(second)
        client.receive(try server.takeOutput())
        #expect(client.read() == Array("firstsecond".utf8))
    }

    @Test func `what is not yet sent when the connection ends fails`() throws {
        let (server, _) = try connected()
        let (first, second, closed) = (promise(server), promise(server), promise(server))
        server.channel.write(ByteBuffer(string: "x"), promise: first)
        server.channel.close(promise: closed)
        #expect(throws: ChannelError.self) { try settled(first) }
        server.channel.writeAndFlush(ByteBuffer(string: "x"), promise: second)
        #expect(throws: ChannelError.outputClosed) { try settled(second) }
        server.channel.embeddedEventLoop.advanceTime(by: TLSChannel.closeTimeout)
        try settled(closed)
        #expect(throws: ChannelError.ioOnClosedChannel) {
            try write("x", server)
        }
    }

    @Test func `what is written before the handshake waits for it`() throws {
        let (server, client) = (try server(), try TLSClient())
        let written = promise(server)
        server.channel.writeAndFlush(ByteBuffer(string: "early"), promise: written)
        #expect(try server.takeOutput().isEmpty)
        try server.exchange(with: client)
        try settled(written)
        #expect(client.read() == Array("early".utf8))
    }

    @Test(arguments: versions)
    func `handlers may write and close in the middle of reading`(version: Int32) throws {
        let (server, client) = try connected(version)
        server.observer.react = { context, bytes in
            context.writeAndFlush(NIOAny(bytes), promise: nil)
            if String(buffer: bytes).hasSuffix("end") { context.close(promise: nil) }
        }
        for text in ["one", "two", "end"] { try client.write(text) }
        try client.write("unheard")
        try server.receive(client.takeOutput())
        client.receive(try server.takeOutput())
        #expect(server.observer.received.starts(with: Array("onetwoend".utf8)))
        #expect(client.read().starts(with: Array("onetwoend".utf8)))
        client.end()
        try server.receive(client.takeOutput())
        #expect(!server.channel.isActive && server.observer.problems.isEmpty)
    }

    // MARK: The end

    @Test(arguments: versions)
    func `a client that says it ends is answered, and the connection is over`(version: Int32) throws {
        let (server, client) = try connected(version)
        try client.write("last")
        client.end()
        try server.receive(client.takeOutput())
        client.receive(try server.takeOutput())
        _ = client.read()
        #expect(server.observer.received == Array("last".utf8))
        #expect(client.hasEnded && server.observer.hasEnded && !server.channel.isActive)
        #expect(server.observer.problems.isEmpty)
    }

    @Test(arguments: versions)
    func `a server that ends says so, and waits for the client to`(version: Int32) throws {
        let (server, client) = try connected(version)
        let (first, second) = (promise(server), promise(server))
        let before = server.reads
        server.channel.close(promise: first)
        server.channel.close(promise: second)
        // Whoever holds reading back does not keep the client's answer out.
        #expect(server.reads == before + 1)
        #expect(server.channel.isActive)
        // What was on its way comes too late.
        try client.write("late")
        try server.receive(client.takeOutput())
        client.receive(try server.takeOutput())
        _ = client.read()
        #expect(client.hasEnded && server.channel.isActive)
        client.end()
        try server.receive(client.takeOutput())
        #expect(!server.channel.isActive)
        try settled(first)
        try settled(second)
        #expect(server.observer.received.isEmpty && server.observer.problems.isEmpty && server.observer.hasEnded)
    }

    @Test func `a client that does not answer the end is cut off after the time limit`() throws {
        let (server, _) = try connected()
        server.channel.close(promise: nil)
        server.channel.embeddedEventLoop.advanceTime(by: TLSChannel.closeTimeout - .milliseconds(1))
        #expect(server.channel.isActive)
        server.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(!server.channel.isActive && server.observer.hasEnded)
    }

    @Test func `a server that has said all still listens, and then ends at once`() throws {
        let (server, client) = try connected()
        let (last, ended) = (promise(server), promise(server))
        server.holdsWrites = true
        server.channel.write(ByteBuffer(string: "last"), promise: last)
        server.channel.close(mode: .output, promise: ended)
        // A socket drops what it still has to send when its output is closed.
        #expect(!server.hasEndedOutput)
        server.holdsWrites = false
        #expect(server.hasEndedOutput)
        try settled(last)
        try settled(ended)
        client.receive(try server.takeOutput())
        #expect(client.read() == Array("last".utf8))
        #expect(client.hasEnded)
        #expect(throws: ChannelError.outputClosed) { try write("x", server) }
        try client.write("heard")
        try server.receive(client.takeOutput())
        #expect(server.observer.received == Array("heard".utf8))
        try server.channel.close().wait()
        #expect(!server.channel.isActive)
    }

    @Test func `a client that ends after the server has is not waited for`() throws {
        let (server, client) = try connected()
        server.channel.close(mode: .output, promise: nil)
        client.end()
        try server.receive(client.takeOutput())
        #expect(!server.channel.isActive && server.observer.problems.isEmpty)
    }

    @Test(arguments: versions)
    func `a client may go at any byte of a conversation`(version: Int32) throws {
        // All that the client says, where each of its parts begins.
        var said: [[UInt8]] = []
        let (whole, client) = (try server(), try TLSClient(versions: version...version))
        while !client.handshake() {
            said.append(client.takeOutput())
            try whole.receive(said.last ?? [])
            client.receive(try whole.takeOutput())
        }
        try #require(said.count >= (version == TLS1_2_VERSION ? 2 : 1))
        for bytes in said[0].indices {
            for isReset in [false, true] {
                let server = try server()
                try server.receive(said[0][..<bytes])
                #expect(try server.takeOutput().isEmpty)
                if isReset { try server.channel.close().wait() } else { server.channel.pipeline.fireChannelInactive() }
                #expect(server.observer.hasEnded && server.observer.problems.isEmpty)
            }
        }
        // In the middle of its second part, and of a record after the handshake.
        for isConnected in [false, true] {
            let (server, client) = (try server(), try TLSClient(versions: version...version))
            _ = client.handshake()
            try server.receive(client.takeOutput())
            client.receive(try server.takeOutput())
            _ = client.handshake()
            if isConnected {
                try server.exchange(with: client)
                try client.write("half")
            }
            let written = promise(server)
            server.channel.writeAndFlush(ByteBuffer(string: "unheard"), promise: written)
            try server.receive(client.takeOutput().dropLast())
            server.channel.pipeline.fireChannelInactive()
            #expect(server.observer.hasEnded && server.observer.problems.isEmpty && server.observer.received.isEmpty)
            #expect(server.observer.handshakes.count == (isConnected ? 1 : 0))
            if !isConnected { #expect(throws: ChannelError.self) { try settled(written) } }
        }
    }

    // MARK: Hostile clients

    @Test(arguments: [TLS1_VERSION, TLS1_1_VERSION])
    func `versions before 1_2 are refused by an alert`(version: Int32) throws {
        let (server, client) = (try server(), try TLSClient(versions: version...version))
        _ = client.handshake()
        try server.receive(client.takeOutput())
        // Alert, fatal, protocol_version (RFC 5246 §7.2).
        #expect(try server.takeOutput().suffix(2) == [2, 70])
        #expect(server.observer.problems == [TLSProblem("unsupported protocol")] && !server.channel.isActive)
    }

    @Test(arguments: ["AES128-SHA", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA", "aNULL", "eNULL"])
    func `ciphers without forward secrecy or authentication are refused`(ciphers: String) throws {
        let (server, client) = (
            try server(), try TLSClient(versions: TLS1_2_VERSION...TLS1_2_VERSION, ciphers: ciphers)
        )
        _ = client.handshake()
        try server.receive(client.takeOutput())
        #expect(try server.takeOutput().suffix(2) == [2, 40])
        #expect(server.observer.problems == [TLSProblem("no shared cipher")] && !server.channel.isActive)
    }

    @Test(arguments: versions)
    func `a hello that was changed anywhere is refused, or not finished`(version: Int32) throws {
        let client = try TLSClient(["h2"], versions: version...version)
        _ = client.handshake()
        let hello = client.takeOutput()
        for index in hello.indices {
            var changed = hello
            changed[index] ^= 0xff
            let server = try server()
            try server.receive(changed)
            #expect(server.observer.handshakes.isEmpty)
            #expect(server.observer.problems.count <= 1)
            #expect(server.channel.isActive == server.observer.problems.isEmpty)
        }
    }

    @Test(
        arguments: [
            [22, 3, 1, 0, 0], [22, 3, 1, 0xff, 0xff], [22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff],
            [22, 3, 1, 0, 4, 14, 0, 0, 0], [22, 0, 0, 0, 1, 0], Array("GET / HTTP/1.1\r\n\r\n".utf8),
            [21, 3, 3, 0, 2, 2, 40], [23, 3, 3, 0, 1, 0], [0x80, 0x2e, 1, 3, 1], [20, 3, 3, 0, 1, 1],
        ] as [[UInt8]])
    func `what is no ClientHello ends the connection or waits for more`(bytes: [UInt8]) throws {
        let server = try server()
        for _ in 0..<40 { try server.receive(bytes) }
        try server.receive([UInt8](repeating: 0, count: 70_000))
        #expect(server.observer.handshakes.isEmpty && server.observer.problems.count == 1 && !server.channel.isActive)
        // Bytes that were on their way are no matter.
        server.channel.pipeline.fireChannelRead(ByteBuffer(bytes: bytes))
        #expect(server.observer.problems.count == 1)
    }

    @Test(arguments: versions)
    func `a changed record is not delivered, and ends the connection`(version: Int32) throws {
        for index in [0, 3, 5, 13, 20] {
            let (server, client) = try connected(version)
            try client.write("good")
            try client.write("changed")
            var records = client.takeOutput()
            let first = 5 + Int(records[3]) << 8 + Int(records[4])
            records[first + index] ^= 0x40
            // What came before it is.
            try server.receive(records)
            try server.receive([UInt8](repeating: 0, count: 20_000))
            #expect(server.observer.received == Array("good".utf8))
            #expect(server.observer.problems.count == 1 && !server.channel.isActive, "\(index)")
        }
    }

    @Test func `a failure while the end is awaited is just the end`() throws {
        let (server, _) = try connected()
        let closed = promise(server)
        server.channel.close(promise: closed)
        try server.receive([UInt8](repeating: 0, count: 100))
        #expect(!server.channel.isActive && server.observer.problems.isEmpty)
        try settled(closed)
    }

    @Test func `a client that wants to negotiate again is refused and cut off`() throws {
        let (server, client) = try connected(TLS1_2_VERSION)
        try client.write("before")
        #expect(SSL_renegotiate(client.ssl) == 1)
        _ = client.handshake()
        try server.receive(client.takeOutput())
        #expect(server.observer.received == Array("before".utf8))
        #expect(server.observer.handshakes.count == 1)
        #expect(server.observer.problems == [TLSProblem("renegotiation is not supported")])
        #expect(!server.channel.isActive)
        // Its alert (RFC 5246 §7.2.2) is all that it gets.
        let answer = try server.takeOutput()
        #expect(answer.first == 21 && answer.count < 64)
        client.receive(answer)
        #expect(!client.handshake())
    }

    @Test func `a client may change its keys as often as it likes`() throws {
        let (server, client) = try connected()
        for number in 0..<2000 {
            try #require(SSL_key_update(client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1)
            try client.write("\(number % 10)")
            try server.receive(client.takeOutput())
            client.receive(try server.takeOutput())
            #expect(client.read().isEmpty)
        }
        #expect(server.observer.received.count == 2000)
        try write("still", server)
        client.receive(try server.takeOutput())
        #expect(client.read() == Array("still".utf8))
        #expect(server.observer.problems.isEmpty)
    }

    @Test func `a client that changes its keys and does not read is cut off before it costs much`() throws {
        let (server, client) = try connected()
        server.holdsWrites = true
        var count = 0
        while server.channel.isActive, count < 5000 {
            try #require(SSL_key_update(client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1)
            try client.write("x")
            try server.receive(client.takeOutput())
            count += 1
        }
        #expect(server.observer.problems == [TLSProblem("the client does not read its answers")])
        // An answer has 27 bytes.
        #expect((500...700).contains(count))
    }
}
