import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// Engine.IO and Socket.IO over real sockets.
@Suite(.timeLimit(.minutes(15))) struct SocketIOServerTests {
    private func raw(_ server: TestServer, _ request: String) async throws -> RawResponse {
        let client = try await server.connect()
        try await client.send(request)
        return try await client.readResponse()
    }

    @Test(arguments: [
        ("GET /socket.io/?EIO=4&transport=polling&sid=nobody", 1), ("GET /socket.io/?EIO=3&transport=polling", 5),
        ("GET /socket.io/?transport=polling", 5), ("GET /socket.io/?EIO=4&transport=pigeon", 0),
        ("GET /socket.io/?EIO=4", 0), ("GET /socket.io/?EIO=4&transport=websocket", 3),
        ("POST /socket.io/?EIO=4&transport=polling", 2), ("DELETE /socket.io/?EIO=4&transport=polling", 2),
    ])
    func `a request that opens nothing is refused with Engine.IO's own code`(line: String, code: Int64) async throws {
        try await TestServer.with { server in
            let response = try await raw(server, "\(line) HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            #expect(response.status == 400)
            #expect(try JSONValue(parsing: response.body)["code"] == .integer(code))
        }
    }

    @Test func `a session goes on by polling, by WebSocket, and from the one to the other`() async throws {
        try await TestServer.with { server in
            let polling = try await SocketIOClient.open(port: server.port)
            #expect(try await polling.ask("resume") == .null)
            let socket = try await SocketIOClient.openSocket(port: server.port)
            #expect(try await socket.ask("resume") == .null)
            #expect(polling.id != socket.id && polling.id.count == 20)
            try await polling.startPoll()
            try await polling.upgrade()
            for _ in 0..<20 { #expect(try await polling.ask("resume") == .null) }
            let late = try await polling.get(polling.name)
            #expect(late.status == 400)
            try await polling.close()
            try await socket.close()
            try await eventually { server.gateway.counters.snapshot().openSessions == 0 }
        }
    }

    @Test func `many events in one payload are answered in order`() async throws {
        try await TestServer.with { server in
            let client = try await SocketIOClient.open(port: server.port)
            let packets = (0..<100).map { "42\($0)[\"\($0 % 2 == 0 ? "resume" : "exitRoom")\",{}]" }
            #expect(try await client.post(packets.joined(separator: "\u{1e}")).status == 200)
            for number in 0..<100 {
                let packet = try await client.nextPacket()
                #expect(packet.hasPrefix("43\(number)["), "\(packet)")
            }
        }
    }

    @Test func `a numbered poll or post that a browser sends again is answered again, and carried out once`()
        async throws
    {
        try await TestServer.with { server in
            let client = try await SocketIOClient.open(port: server.port)
            let target = "/socket.io/?EIO=4&transport=polling&sid=\(client.name)"
            for number in 1...3 {
                let body = "42\(number)[\"resume\",{}]"
                let post =
                    "POST \(target)&n=\(2 * number) HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                for _ in 0..<3 { #expect(try await raw(server, post).body == "ok") }
                for _ in 0..<3 {
                    let get = try await raw(server, "GET \(target)&n=\(2 * number + 1) HTTP/1.1\r\nHost: x\r\n\r\n")
                    #expect(get.status == 200 && get.body == "43\(number)[]")
                }
            }
            #expect(try await client.ask("resume") == .null)
        }
    }

    @Test func `a post may be longer than a message, as older clients send all that waited in one`() async throws {
        var limits = GatewayLimits.patient
        limits.messageBytes = 20_000
        limits.postBytes = 100_000
        try await TestServer.with(limits: limits) { server in
            let client = try await SocketIOClient.open(port: server.port)
            let message = "42[\"resume\",\"\(String(repeating: "x", count: 19_000))\"]"
            let four = Array(repeating: message, count: 4).joined(separator: "\u{1E}")
            #expect(try await client.post(four).status == 200)
            #expect(try await client.ask("resume") == .null)
            #expect(try await client.post(four + "\u{1E}" + message + "\u{1E}" + message).status == 413)
        }
    }

    @Test func `a message that is longer than the announced limit ends its session`() async throws {
        var limits = GatewayLimits.patient
        limits.messageBytes = 20_000
        try await TestServer.with(limits: limits) { server in
            let client = try await SocketIOClient.open(port: server.port)
            #expect(try await client.ask("resume") == .null)
            _ = try await client.post("42[\"resume\",\"\(String(repeating: "x", count: 20_000))\"]")
            try await eventually { server.gateway.counters.snapshot().openSessions == 0 }
        }
    }

    @Test func `two polls at once end the session`() async throws {
        try await TestServer.with { server in
            let client = try await SocketIOClient.open(port: server.port)
            try await client.startPoll()
            // The first may be on its way still; of polls that all wait, one too many is refused.
            let other = try await server.connect()
            try await other.send(
                "GET /socket.io/?EIO=4&transport=polling&sid=\(client.name) HTTP/1.1\r\nHost: x\r\n\r\n")
            try await eventually { server.gateway.counters.snapshot().openSessions == 0 }
            #expect(try await client.post("40").status == 400)
        }
    }

    @Test(arguments: [
        "nonsense", "4nonsense", "42[\"resume\"", "451-[\"x\",{}]", "4", "40[]", "42/admin,[\"x\"]", "b4AA",
    ])
    func `garbage ends its session and nobody else's`(text: String) async throws {
        try await TestServer.with { server in
            let good = try await SocketIOClient.open(port: server.port)
            let bad = try await SocketIOClient.open(port: server.port)
            _ = try await bad.post(text)
            try await eventually { server.gateway.counters.snapshot().openSessions == 1 }
            #expect(try await good.ask("resume") == .null)
        }
    }

    @Test func `an event before the namespace is connected ends the session`() async throws {
        try await TestServer.with { server in
            let socket = try await WebSocketClient.open(
                port: server.port, target: "/socket.io/?EIO=4&transport=websocket", subprotocol: nil)
            _ = try await socket.nextFrame()
            try await socket.send("421[\"resume\"]")
            #expect(try await socket.nextFrame().text == "1")
            #expect(try await socket.closeFrame().closeCode == 1000)
        }
    }

    @Test func `there is one namespace`() async throws {
        try await TestServer.with { server in
            let client = try await SocketIOClient.open(port: server.port)
            try await client.send("40/admin,")
            #expect(try await client.nextPacket() == "44/admin,{\"message\":\"Invalid namespace\"}")
            #expect(try await client.ask("resume") == .null)
        }
    }

    @Test func `a WebSocket for a session that is not there is closed by name`() async throws {
        try await TestServer.with { server in
            let socket = try await WebSocketClient.open(
                port: server.port, target: "/socket.io/?EIO=4&transport=websocket&sid=nobody", subprotocol: nil)
            #expect(try await socket.closeFrame().closeCode == 1008)
        }
    }

    @Test func `a server that stops says so to clients of either transport`() async throws {
        try await TestServer.with { server in
            let polling = try await SocketIOClient.open(port: server.port)
            let socket = try await SocketIOClient.openSocket(port: server.port)
            try await polling.startPoll()
            await server.stop()
            #expect(try await polling.nextPacket() == "1")
            #expect(try await socket.nextPacket() == "1")
        }
    }

    @Test func `sessions are bounded`() async throws {
        var limits = GatewayLimits.patient
        limits.connections = 7
        try await TestServer.with(limits: limits) { server in
            var clients: [SocketIOClient] = []
            for _ in 0..<3 { clients.append(try await SocketIOClient.open(port: server.port)) }
            #expect(clients.count == 3)
            for status in [200, 200, 200, 200, 503] {
                // The ended connections of before have to be counted out first.
                try await eventually { server.gateway.counters.snapshot().openConnections <= 6 }
                let one = try await server.connect()
                try await one.send("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(try await one.readResponse().status == status)
                await one.close()
            }
        }
    }
}
