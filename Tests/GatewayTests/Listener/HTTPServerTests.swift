import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

@Suite(.timeLimit(.minutes(15))) struct HTTPServerTests {
    private func get(_ target: String, method: String = "GET", fields: String = "") -> String {
        "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n"
    }

    @Test func `one connection asks for everything there is`() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            try await client.send(get("/healthz"))
            let health = try await client.readResponse()
            #expect(health.status == 200 && health.body == "ok\n")

            try await client.send(get("/rooms"))
            let rooms = try await client.readResponse()
            #expect(rooms.fields["content-type"] == "application/json")
            #expect(try JSONValue(parsing: rooms.body) == .object(["rooms": .array([])]))

            try await client.send(get("/"))
            let page = try await client.readResponse()
            #expect(page.status == 200)
            #expect(page.fields["content-type"] == "text/html; charset=utf-8")
            #expect(page.fields["x-content-type-options"] == "nosniff")
            #expect(page.fields["access-control-allow-origin"] == nil)

            try await client.send(get("/?roomId=a&peerId=b"))
            #expect(try await client.readResponse().body == page.body)

            try await client.send(get("/", fields: "If-None-Match: \(page.fields["etag"] ?? "")\r\n"))
            #expect(try await client.readResponse().status == 304)

            try await client.send(get("/metrics"))
            #expect(
                try await client.readResponse().body.contains("roundhouse_media_packets_received_total{shard=\"0\"} 12")
            )
        }
    }

    @Test(arguments: [
        ("/rooms/nobody", 404, "room-not-found"), ("/nothing", 404, "not-found"),
        ("/../Package.swift", 404, "not-found"),
        ("/%2e%2e/%2e%2e/etc/passwd", 404, "not-found"), ("/..%2f..%2fetc%2fpasswd", 404, "not-found"),
        ("/%", 400, "malformed-target"), ("/%ff", 400, "malformed-target"), ("/rooms/a/b", 404, "not-found"),
    ])
    func `errors are JSON with a stable code`(target: String, status: Int, code: String) async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            try await client.send(get(target))
            let response = try await client.readResponse()
            #expect(response.status == status)
            #expect(try JSONValue(parsing: response.body)["error"]?["code"] == .string(code))
        }
    }

    @Test func `HEAD is GET without the body, and other methods are answered with what is allowed`() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            try await client.send(get("/healthz", method: "HEAD"))
            let head = try await client.readResponse(isHeadOnly: true)
            #expect(head.status == 200 && head.fields["content-length"] == "3")
            try await client.send(get("/rooms", method: "OPTIONS"))
            let options = try await client.readResponse()
            #expect(options.status == 204 && options.fields["allow"] == "GET, HEAD, OPTIONS")
            for method in ["POST", "DELETE", "PUT"] {
                try await client.send(get("/rooms", method: method, fields: "Content-Length: 0\r\n"))
                let response = try await client.readResponse()
                #expect(response.status == 405 && response.fields["allow"] == "GET, HEAD, OPTIONS", "\(method)")
            }
        }
    }

    @Test func `requests sent ahead are answered in order`() async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            try await client.send(get("/healthz") + get("/nothing") + get("/healthz", fields: "Connection: close\r\n"))
            #expect(try await client.readResponse().status == 200)
            #expect(try await client.readResponse().status == 404)
            let last = try await client.readResponse()
            #expect(last.status == 200 && last.fields["connection"] == "close")
            #expect(await client.readToEnd() == "")
        }
    }

    struct BadRequest: CustomTestStringConvertible {
        var testDescription: String
        var text: String
        var status: Int
        init(_ description: String, _ text: String, _ status: Int) {
            testDescription = description
            self.text = text
            self.status = status
        }
    }

    @Test(arguments: [
        BadRequest("no request line", "GARBAGE\r\n\r\n", 400),
        BadRequest("a TLS hello", "\u{16}\u{3}\u{1}\u{2}\r\n\r\n", 400),
        BadRequest("an unknown version", "GET / HTTP/9.9\r\n\r\n", 400),
        BadRequest("no Host", "GET /healthz HTTP/1.1\r\n\r\n", 400),
        BadRequest("two Hosts", "GET /healthz HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400),
        BadRequest("two Hosts of HTTP/1.0", "GET /healthz HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        BadRequest(
            "a WebSocket with two Hosts",
            "GET /?roomId=r&peerId=p HTTP/1.1\r\nHost: a\r\nHost: b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                + "Sec-WebSocket-Protocol: protoo\r\n\r\n", 400),
        BadRequest("an unknown method", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        BadRequest("a length that is no number", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: zz\r\n\r\n", 400),
        BadRequest(
            "a long field", "GET / HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "a", count: 20_000))\r\n\r\n", 431),
        BadRequest(
            "a long target", "GET /\(String(repeating: "a", count: 20_000)) HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        BadRequest(
            "a long body, announced", "POST /rooms HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 413),
        BadRequest(
            "a long body in chunks",
            "POST /rooms HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "10000\r\n\(String(repeating: "a", count: 65536))\r\n1\r\na\r\n0\r\n\r\n", 413),
    ])
    func `what is too large or not HTTP is answered and ends the connection`(_ request: BadRequest) async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            try await client.send(request.text)
            let all = await client.readToEnd()
            #expect(all.hasPrefix("HTTP/1.1 \(request.status) "), "\(all.prefix(200))")
            #expect(all.contains("\r\nconnection: close\r\n"))
        }
    }

    @Test func `an idle kept-alive connection is ended`() async throws {
        var limits = GatewayLimits.patient
        limits.keepAliveTimeout = .milliseconds(200)
        try await TestServer.with(limits: limits) { server in
            let client = try await server.connect()
            try await client.send(get("/healthz"))
            #expect(try await client.readResponse().status == 200)
            #expect(await client.readToEnd() == "")
        }
    }

    @Test func `connections beyond the limit are closed and counted, and room comes back`() async throws {
        var limits = GatewayLimits.patient
        limits.connections = 2
        try await TestServer.with(limits: limits) { server in
            let first = try await server.connect()
            let second = try await server.connect()
            for client in [first, second] {
                try await client.send(get("/healthz"))
                #expect(try await client.readResponse().status == 200)
            }
            let third = try await server.connect()
            #expect(await third.readToEnd() == "")
            #expect(server.gateway.counters.snapshot().refusedConnections["too_many_connections"] == 1)
            try await first.send(get("/healthz", fields: "Connection: close\r\n"))
            #expect(await first.readToEnd().hasPrefix("HTTP/1.1 200"))
            await first.close()
            try await eventually { server.gateway.counters.snapshot().openConnections == 1 }
            let fourth = try await server.connect()
            try await fourth.send(get("/healthz"))
            #expect(try await fourth.readResponse().status == 200)
        }
    }

    @Test(
        arguments: [
            ("/?roomId=r", [:], 400, "missing-parameter"), ("/", [:], 400, "missing-parameter"),
            ("/?roomId=r&peerId=%07", [:], 400, "invalid-parameter"),
            ("/?roomId=r&peerId=a%20b", [:], 400, "invalid-parameter"),
            ("/?roomId=r&peerId=p", ["Sec-WebSocket-Protocol": "chat"], 400, "unsupported-subprotocol"),
            ("/?roomId=r&peerId=p", ["Sec-WebSocket-Version": "7"], 426, "unsupported-websocket-version"),
            ("/?roomId=r&peerId=p", ["Sec-WebSocket-Key": "x"], 400, "bad-handshake"),
            ("/?roomId=r&peerId=p", ["Connection": "keep-alive"], 400, "bad-handshake"),
            ("/rooms?roomId=r&peerId=p", [:], 404, "not-found"),
        ] as [(String, [String: String], Int, String)])
    func `a WebSocket handshake that cannot be had says why`(
        target: String, fields: [String: String], status: Int, code: String
    ) async throws {
        try await TestServer.with { server in
            let client = try await server.connect()
            try await client.send(WebSocketClient.request(target: target, fields: fields))
            let response = try await client.readResponse()
            #expect(response.status == status)
            #expect(try JSONValue(parsing: response.body)["error"]?["code"] == .string(code))
        }
    }

    @Test func `a port in use is an error that names the port`() async throws {
        try await TestServer.with { server in
            do throws(GatewayError) {
                _ = try await GatewayServer.start(
                    GatewayConfiguration(host: "127.0.0.1", port: server.port), rooms: server.rooms,
                    mediaCounters: { [] })
                Issue.record("a port was bound twice")
            } catch {
                #expect(error.code == .portInUse)
                #expect(error.message.contains("\(server.port)"))
            }
        }
    }

    @Test(arguments: ["198.51.100.7", "no such host", "::g"])
    func `an address that is not ours is an error of its own`(host: String) async throws {
        try await TestServer.with { server in
            do throws(GatewayError) {
                _ = try await GatewayServer.start(
                    GatewayConfiguration(host: host, port: 0), rooms: server.rooms, mediaCounters: { [] })
                Issue.record("bound \(host)")
            } catch {
                #expect(error.code == .addressUnavailable, "\(error)")
            }
        }
    }
}
