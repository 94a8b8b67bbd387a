import HTTPTypes
import NIOCore
import NIOEmbedded
import Testing

@testable import RoundhouseGateway

/// The session alone: frames in, events and frames out, in virtual time.
@Suite struct HTTP2SessionTests {
    private final class Fixture {
        let session: HTTP2Session
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        private var rest: [UInt8] = []

        init(limits: HTTP2Limits = HTTP2Limits(), isOpened: Bool = true) throws {
            session = try #require(HTTP2Session(limits: limits))
            if isOpened {
                _ = try receive(HTTP2Frame.opening)
                _ = sent()
            }
        }

        func receive(_ bytes: [UInt8]) throws(HTTP2Violation) -> [HTTP2Event] {
            try session.receive(ByteBuffer(bytes: bytes), now: now)
            return session.takeEvents()
        }

        func receive(_ frames: HTTP2Frame...) throws(HTTP2Violation) -> [HTTP2Event] {
            try receive(frames.flatMap(\.bytes))
        }

        /// What goes out, at most `limit` bytes a time.
        func sent(limit: Int = 65_536) -> [HTTP2Frame] {
            var buffer = ByteBuffer()
            _ = session.send(into: &buffer, limit: limit)
            rest += Array(buffer.readableBytesView)
            return HTTP2Frame.take(from: &rest)
        }

        func violation(_ body: () throws -> Void) -> HTTP2Violation.Kind? {
            #expect(throws: HTTP2Violation.self) { try body() }
            return session.violation?.kind
        }
    }

    @Test func `the first thing said are the limits, and that a WebSocket may ride a stream`() throws {
        let fixture = try Fixture(isOpened: false)
        let settings = try #require(fixture.sent().first)
        #expect(settings.kind == .settings)
        var values: [UInt16: UInt32] = [:]
        for start in stride(from: 0, to: settings.payload.count, by: 6) {
            let entry = settings.payload[start..<start + 6]
            values[entry.prefix(2).reduce(0) { $0 << 8 | UInt16($1) }] = entry.dropFirst(2).reduce(0) {
                $0 << 8 | UInt32($1)
            }
        }
        #expect(values == [3: 100, 4: 65_536, 6: 16_384, 8: 1])
    }

    @Test func `a request comes whole, however its bytes are cut`() throws {
        let bytes = HTTP2Frame.opening + HTTP2Frame.get(1, "/rooms?x=1", fields: [("accept", "*/*")]).bytes
        for cut in 1..<bytes.count {
            let fixture = try Fixture(isOpened: false)
            var events = try fixture.receive(Array(bytes[..<cut]))
            events += try fixture.receive(Array(bytes[cut...]))
            guard events.count == 1, case .request(1, let request, isEnd: true) = events[0] else {
                Issue.record("cut at \(cut): \(events)")
                continue
            }
            #expect(request.method == .get && request.path == "/rooms?x=1" && request.authority == "localhost")
            #expect(request.headerFields[.accept] == "*/*")
        }
    }

    @Test func `an extended CONNECT names its protocol`() throws {
        let fixture = try Fixture()
        let fields = HTTP2Frame.request("CONNECT", "/?a=b") + [(":protocol", "websocket")]
        let events = try fixture.receive(.head(1, fields, isEnd: false))
        guard case .request(1, let request, isEnd: false)? = events.first else {
            Issue.record("\(events)")
            return
        }
        #expect(request.extendedConnectProtocol == "websocket" && request.path == "/?a=b")
    }

    // MARK: Flow control

    @Test func `a response waits for the client's window and goes on when it opens`() throws {
        let fixture = try Fixture()
        _ = try fixture.receive(.get(1))
        fixture.session.respond(1, HTTPResponse(status: .ok), isEnd: false)
        fixture.session.write(1, ByteBuffer(repeating: 7, count: 100_000))
        fixture.session.finish(1)
        func dataBytes() -> Int {
            var count = 0
            for _ in 0..<20 { count += fixture.sent().filter { $0.kind == .data }.map(\.payload.count).reduce(0, +) }
            return count
        }
        // RFC 9113 §6.9.2: both windows begin at 65,535.
        #expect(dataBytes() == 65_535)
        _ = try fixture.receive(.windowUpdate(1, by: 100_000))
        #expect(dataBytes() == 0)
        let events = try fixture.receive(.windowUpdate(0, by: 30_000))
        #expect(events.isEmpty)
        #expect(dataBytes() == 30_000)
        _ = try fixture.receive(.windowUpdate(0, by: 30_000))
        #expect(dataBytes() == 4465)
        guard case .closed(1, code: 0)? = fixture.session.takeEvents().first else {
            Issue.record("the stream is over")
            return
        }
    }

    @Test func `a stream's window opens again only when its bytes are used`() throws {
        let fixture = try Fixture()
        _ = try fixture.receive(.head(1, HTTP2Frame.request("POST", "/"), isEnd: false))
        for _ in 0..<4 { _ = try fixture.receive(.data(1, [UInt8](repeating: 0, count: 16_000))) }
        let sent = fixture.sent()
        #expect(!sent.contains { $0.kind == .windowUpdate && $0.stream == 1 })
        // Other streams go on.
        #expect(sent.contains { $0.kind == .windowUpdate && $0.stream == 0 })
        fixture.session.consumed(1, bytes: 64_000)
        #expect(fixture.sent().contains { $0.kind == .windowUpdate && $0.stream == 1 })
    }

    @Test func `more bytes than the window allows reset the stream`() throws {
        let fixture = try Fixture()
        _ = try fixture.receive(.head(1, HTTP2Frame.request("POST", "/"), isEnd: false))
        for _ in 0..<5 { _ = try? fixture.receive(.data(1, [UInt8](repeating: 0, count: 16_000))) }
        let resets = fixture.sent().filter { $0.kind == .reset || $0.kind == .goAway }
        #expect(resets.first?.errorCode == 3)  // FLOW_CONTROL_ERROR
    }

    @Test func `a written promise is kept when the bytes are out, and broken when the stream is reset`() throws {
        let fixture = try Fixture()
        _ = try fixture.receive(.get(1))
        fixture.session.respond(1, HTTPResponse(status: .ok), isEnd: false)
        let loop = EmbeddedEventLoop()
        let first = loop.makePromise(of: Void.self)
        let second = loop.makePromise(of: Void.self)
        fixture.session.write(1, ByteBuffer(repeating: 7, count: 60_000), written: first)
        fixture.session.write(1, ByteBuffer(repeating: 7, count: 60_000), written: second)
        for _ in 0..<20 { _ = fixture.sent() }
        var promises = fixture.session.takePromises()
        #expect(promises.written.count == 1 && promises.abandoned.isEmpty)
        _ = try fixture.receive(.reset(1))
        promises = fixture.session.takePromises()
        #expect(promises.written.isEmpty && promises.abandoned.count == 1)
        first.succeed()
        second.succeed()
    }

    // MARK: Violations

    @Test func `streams opened and reset again and again end the connection`() throws {
        let fixture = try Fixture()
        var opened = 0
        let kind = fixture.violation {
            for index in 0..<1000 {
                let stream = UInt32(2 * index + 1)
                _ = try fixture.receive(.get(stream), .reset(stream))
                opened += 1
            }
        }
        #expect(kind == .rapidReset)
        #expect(opened == 200)
        #expect(fixture.sent().last { $0.kind == .goAway }?.errorCode == 11)  // ENHANCE_YOUR_CALM
    }

    @Test func `a reset now and then is nobody's fault`() throws {
        let fixture = try Fixture()
        for index in 0..<1000 {
            let stream = UInt32(2 * index + 1)
            _ = try fixture.receive(.get(stream), .reset(stream))
            fixture.now = fixture.now + .milliseconds(100)
        }
        #expect(fixture.session.violation == nil)
    }

    @Test func `resets that the client provokes count like its own`() throws {
        let fixture = try Fixture()
        let kind = fixture.violation {
            for index in 0..<1000 {
                let stream = UInt32(2 * index + 1)
                // A field that HTTP/2 does not have is an error of its stream (RFC 9113 §8.2.2).
                _ = try fixture.receive(.get(stream, fields: [("connection", "close")]))
                _ = fixture.sent()
            }
        }
        #expect(kind == .rapidReset)
    }

    @Test(arguments: [HTTP2Frame.Kind.ping, .settings, .priority, .data])
    func `frames that only make work end the connection when they are many`(_ kind: HTTP2Frame.Kind) throws {
        let fixture = try Fixture()
        _ = try fixture.receive(.head(1, HTTP2Frame.request("POST", "/"), isEnd: false))
        let frame =
            switch kind {
            case .ping: HTTP2Frame(kind: .ping, payload: [UInt8](repeating: 0, count: 8))
            case .priority: HTTP2Frame(kind: .priority, stream: 1, payload: [0, 0, 0, 0, 16])
            case .data: HTTP2Frame.data(1, [])
            default: HTTP2Frame(kind: kind)
            }
        #expect(
            fixture.violation {
                for _ in 0..<1000 {
                    _ = try fixture.receive(frame)
                    _ = fixture.sent()
                }
            } == .controlFlood)
    }

    @Test func `a head without end in CONTINUATION frames ends the connection`() throws {
        let fixture = try Fixture()
        var start = HTTP2Frame.get(1)
        start.flags = HTTP2Frame.endStream
        _ = try fixture.receive(start)
        let more = HTTP2Frame(kind: .continuation, stream: 1, payload: HTTP2Frame.block([("x-a", "b")]))
        #expect(fixture.violation { for _ in 0..<100 { _ = try fixture.receive(more) } } == .continuationFlood)
        #expect(fixture.sent().contains { $0.kind == .goAway && $0.errorCode == 11 })
    }

    @Test func `a small head that unpacks to a great one ends the connection`() throws {
        let fixture = try Fixture()
        // One long field put into HPACK's table (RFC 7541 §6.2.1), then named by one byte, thousands of times.
        var block = HTTP2Frame.block(HTTP2Frame.request("GET", "/"))
        block += [0x40, 0x01, UInt8(ascii: "a"), 0x7F, 0x81, 0x1E]
        block += [UInt8](repeating: UInt8(ascii: "b"), count: 3968)
        block += [UInt8](repeating: 0xBE, count: 8000)
        let frame = HTTP2Frame(
            kind: .headers, flags: HTTP2Frame.endHeaders | HTTP2Frame.endStream, stream: 1, payload: block)
        #expect(fixture.violation { _ = try fixture.receive(frame) } == .headerBomb)
    }

    @Test func `a head over the limit can be answered, and the connection goes on`() throws {
        let fixture = try Fixture()
        let long = String(repeating: "x", count: 9000)
        // Two frames, since one holds 16,384 bytes.
        var first = HTTP2Frame.get(1, "/", fields: [("x-a", long)])
        first.flags = HTTP2Frame.endStream
        let second = HTTP2Frame(
            kind: .continuation, flags: HTTP2Frame.endHeaders, stream: 1, payload: HTTP2Frame.block([("x-b", long)]))
        let events = try fixture.receive(first, second, .get(3))
        guard events.count == 2, case .badHead(1, .tooLarge) = events[0], case .request(3, _, _) = events[1] else {
            Issue.record("\(events)")
            return
        }
    }

    @Test(arguments: HostileHTTP2.connectionErrors)
    func `a connection error ends the connection with a GOAWAY`(_ hostile: HostileHTTP2) throws {
        let fixture = try Fixture(isOpened: false)
        _ = try? fixture.receive(hostile.bytes)
        let code = fixture.sent().last { $0.kind == .goAway }?.errorCode
        #expect(code != nil && code != 0)
        #expect(fixture.session.violation != nil)
    }

    @Test(arguments: HostileHTTP2.malformedRequests)
    func `a malformed request is reset and nobody else notices`(_ hostile: HostileHTTP2) throws {
        let fixture = try Fixture()
        let events = try fixture.receive(hostile.bytes + HTTP2Frame.get(3).bytes)
        #expect(fixture.sent().contains { $0.kind == .reset && $0.stream == 1 && $0.errorCode == 1 })
        #expect(events.contains { if case .request(3, _, isEnd: true) = $0 { true } else { false } })
    }

    @Test func `a stream beyond the limit is refused, and can be tried again`() throws {
        let fixture = try Fixture(limits: HTTP2Limits(streams: 2))
        _ = try fixture.receive(HTTP2Frame(kind: .settings, flags: HTTP2Frame.acknowledgement).bytes)
        let head = { HTTP2Frame.head($0, HTTP2Frame.request("POST", "/"), isEnd: false) }
        _ = try fixture.receive(head(1), head(3), head(5))
        let refusal = fixture.sent().first { $0.kind == .reset && $0.stream == 5 || $0.kind == .goAway }
        #expect(refusal?.errorCode == 7 || refusal?.errorCode == 1)  // REFUSED_STREAM or PROTOCOL_ERROR (§5.1.2)
    }

    @Test func `noise after the preface never does more than end the connection`() throws {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func next() -> UInt8 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 40)
        }
        var ended = 0
        for _ in 0..<100 {
            let fixture = try Fixture()
            for _ in 0..<10 where fixture.session.violation == nil {
                // A head of few bytes, so that frames of every kind come whole.
                let length = next() % 32
                let payload = (0..<length).map { _ in next() }
                let noise = [0, 0, length, next() % 10, next(), 0, 0, 0, next() % 8] + payload
                _ = try? fixture.receive(noise)
                _ = fixture.sent()
            }
            if fixture.session.violation != nil { ended += 1 }
        }
        #expect(ended > 50)
    }

    // MARK: The end

    @Test func `a drain lets what was begun finish and takes nothing new`() throws {
        let fixture = try Fixture()
        _ = try fixture.receive(.get(1))
        fixture.session.announceShutdown()
        #expect(fixture.sent().contains { $0.kind == .goAway && $0.payload.prefix(4) == [0x7F, 0xFF, 0xFF, 0xFF] })
        _ = try fixture.receive(.get(3))
        fixture.session.goAway()
        #expect(fixture.sent().contains { $0.kind == .goAway && $0.payload.prefix(4) == [0, 0, 0, 3] })
        let late = try fixture.receive(.get(5))
        #expect(!late.contains { if case .request = $0 { true } else { false } })
        for stream in [Int32(1), 3] { fixture.session.respond(stream, HTTPResponse(status: .noContent), isEnd: true) }
        #expect(!fixture.session.isFinished)
        #expect(fixture.sent().filter { $0.kind == .headers }.count == 2)
        #expect(fixture.session.isFinished)
    }
}
