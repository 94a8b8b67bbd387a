import NIOCore
import Testing

@testable import RoundhouseGateway

/// The whole server over a socket, spoken to in HTTP/2.
@Suite struct HTTP2ServerTests {
    private final class Client {
        let raw: RawClient
        private var rest: [UInt8] = []
        private(set) var frames: [HTTP2Frame] = []

        init(_ server: TestServer) async throws {
            raw = try await server.connect()
            try await raw.send(HTTP2Frame.opening)
        }

        func send(_ frames: HTTP2Frame...) async throws { try await raw.send(frames.flatMap(\.bytes)) }

        /// Reads on until `condition` holds of everything received.
        func read(until condition: ([HTTP2Frame]) -> Bool) async throws {
            while !condition(frames) {
                guard await raw.readMore() else { throw RawClient.Ended() }
                rest += try await raw.take(raw.received.readableBytes)
                frames += HTTP2Frame.take(from: &rest)
            }
        }

        /// A stream's whole body.
        func body(of stream: UInt32) async throws -> String {
            try await read { $0.contains { $0.stream == stream && $0.kind == .data && $0.flags & 1 != 0 } }
            return String(decoding: bytes(of: stream), as: UTF8.self)
        }

        func bytes(of stream: UInt32) -> [UInt8] {
            frames.filter { $0.stream == stream && $0.kind == .data }.flatMap(\.payload)
        }

        /// Opens a signaling WebSocket on a stream (RFC 8441 §5).
        func openTunnel(_ stream: UInt32, _ target: String = "/?roomId=lobby&peerId=ann") async throws {
            let fields = [
                (":protocol", "websocket"), ("sec-websocket-version", "13"), ("sec-websocket-protocol", "protoo"),
            ]
            try await send(.head(stream, HTTP2Frame.request("CONNECT", target) + fields, isEnd: false))
            try await read { $0.contains { $0.stream == stream && $0.kind == .headers } }
        }
    }

    @Test func `a client with prior knowledge is answered on the plain port`() async throws {
        try await TestServer.with { server in
            let client = try await Client(server)
            try await client.send(.get(1), .get(3, "/rooms"), .get(5, "/nothing"))
            #expect(try await client.body(of: 1) == "ok\n")
            #expect(try await client.body(of: 3) == #"{"rooms":[]}"#)
            #expect(try await client.body(of: 5).contains("not-found"))
            #expect(server.gateway.counters.snapshot().httpConnections == [.http2: 1])
        }
    }

    @Test func `the preface may come in any number of pieces`() async throws {
        try await TestServer.with { server in
            let raw = try await server.connect()
            let bytes = HTTP2Frame.opening + HTTP2Frame.get(1).bytes
            for piece in [bytes[..<1], bytes[1..<4], bytes[4..<23], bytes[23...]] { try await raw.send(piece) }
            while !String(decoding: raw.received.readableBytesView, as: UTF8.self).contains("ok\n") {
                guard await raw.readMore() else { throw RawClient.Ended() }
            }
        }
    }

    @Test func `the bodies of one connection are bounded together, and give their room back`() async throws {
        var limits = GatewayLimits.patient
        limits.connectionBodyBytes = 30_000
        try await TestServer.with(limits: limits) { server in
            let client = try await Client(server)
            let part = [UInt8](repeating: UInt8(ascii: "x"), count: 12_000)
            let post = HTTP2Frame.request("POST", "/checkPassword")
            for stream in [1, 3, 5] as [UInt32] {
                try await client.send(.head(stream, post, isEnd: false), .data(stream, part))
            }
            #expect(try await client.body(of: 5).contains("overloaded"))
            try await client.send(.data(1, [], isEnd: true), .reset(3))
            #expect(try await client.body(of: 1).contains("valid"))
            // As much again, twice: nothing was forgotten to be given back.
            for stream in [7, 9] as [UInt32] {
                try await client.send(
                    .head(stream, post, isEnd: false), .data(stream, part), .data(stream, part, isEnd: true))
                #expect(try await client.body(of: stream).contains("valid"))
            }
            #expect(server.gateway.counters.snapshot().limited == [.connectionBodies: 1])
        }
    }

    @Test func `a body that is too long is answered before its end`() async throws {
        try await TestServer.with { server in
            let client = try await Client(server)
            let fields = HTTP2Frame.request("POST", "/rooms") + [("content-length", "9000000")]
            try await client.send(.head(1, fields, isEnd: false), .get(3))
            #expect(try await client.body(of: 1).contains("body-too-large"))
            #expect(try await client.body(of: 3) == "ok\n")
        }
    }

    @Test func `a rapid reset ends its connection with a reason and no other`() async throws {
        try await TestServer.with { server in
            let other = try await Client(server)
            let client = try await Client(server)
            // At once: what comes slowly enough is no flood, and slow is what a busy machine is.
            let streams = (0..<300).map { UInt32(2 * $0 + 1) }
            try await client.raw.send(streams.flatMap { HTTP2Frame.get($0).bytes + HTTP2Frame.reset($0).bytes })
            try await client.read { $0.contains { $0.kind == .goAway } }
            #expect(client.frames.last { $0.kind == .goAway }?.errorCode == 11)
            #expect(server.gateway.counters.snapshot().http2Violations == ["rapid_reset": 1])
            try await other.send(.get(1))
            #expect(try await other.body(of: 1) == "ok\n")
        }
    }

    @Test func `a WebSocket on a stream is a signaling session like any other`() async throws {
        try await TestServer.with { server in
            let client = try await Client(server)
            try await client.openTunnel(1)
            let request = #"{"request":true,"id":7,"method":"getRouterRtpCapabilities","data":{}}"#
            try await client.send(.data(1, WebSocketClient.frame(1, Array(request.utf8))), .get(3))
            try await client.read { _ in
                String(decoding: client.bytes(of: 1), as: UTF8.self).contains(#""response":true"#)
            }
            #expect(try await client.body(of: 3) == "ok\n")
            let snapshot = server.gateway.counters.snapshot()
            #expect(snapshot.webSockets == [.http2: 1] && snapshot.openSessions == 1)
            // The closing handshake, then the end of the stream; the connection goes on.
            try await client.send(.data(1, WebSocketClient.frame(8, [0x03, 0xE8])))
            try await client.read {
                $0.contains { $0.stream == 1 && $0.kind == .data && $0.flags & HTTP2Frame.endStream != 0 }
            }
            #expect(client.bytes(of: 1).suffix(4) == [0x88, 2, 0x03, 0xE8])
            try await eventually { server.gateway.counters.snapshot().openSessions == 0 }
            try await client.send(.get(5))
            #expect(try await client.body(of: 5) == "ok\n")
        }
    }

    @Test func `a reset of its stream is the end of the session`() async throws {
        try await TestServer.with { server in
            let client = try await Client(server)
            try await client.openTunnel(1)
            try await eventually { server.gateway.counters.snapshot().openSessions == 1 }
            try await client.send(.reset(1))
            try await eventually { server.gateway.counters.snapshot().openSessions == 0 }
            #expect(server.gateway.counters.snapshot().closes == ["1006": 1])
        }
    }

    @Test func `a tunnel without room or subprotocol is refused with a reason`() async throws {
        try await TestServer.with { server in
            let client = try await Client(server)
            try await client.openTunnel(1, "/?peerId=ann")
            #expect(try await client.body(of: 1).contains("roomId"))
            let other = HTTP2Frame.request("CONNECT", "/") + [(":protocol", "connect-udp")]
            try await client.send(.head(3, other, isEnd: false))
            #expect(try await client.body(of: 3).contains("unsupported-protocol"))
        }
    }

    @Test func `a server that stops says GOAWAY and closes its WebSockets with 1001`() async throws {
        try await TestServer.with { server in
            let client = try await Client(server)
            try await client.openTunnel(1)
            await server.stop()
            try await client.read { $0.contains { $0.kind == .goAway && $0.errorCode == 0 } }
            try await client.read { _ in
                client.bytes(of: 1).firstRange(of: [0x03, 0xE9]) != nil
            }
        }
    }
}
