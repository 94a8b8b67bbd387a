import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// Clients over real sockets against real rooms; only the media threads are missing.
@Suite(.timeLimit(.minutes(15))) struct SignalingTests {
    // MARK: Messages

    @Test func `a client is sent the version first, joins, and asks in any order it likes`() async throws {
        try await TestServer.with { server in
            let client = try await server.join("alice")
            let first = try await client.nextMessage()
            #expect(first["notification"] == .bool(true))
            #expect(first["method"] == .string("mediasoup-version"))
            let capabilities = try await client.request("getRouterRtpCapabilities")
            #expect(capabilities["ok"] == .bool(true))
            #expect(capabilities["data"]?["codecs"] != nil)
            let joined = try await client.join("Alice")["data"]
            #expect(joined?["peers"] == .array([]))
            // Whatever a token makes of them, the client learns its name and rights.
            #expect(joined?["displayName"] == .string("Alice"))
            #expect(joined?["permissions"]?["publish"] == .bool(true))
            let twice = try await client.join("Alice")
            #expect(twice["ok"] == .bool(false))
            #expect(twice["errorCode"] == .integer(409))
        }
    }

    @Test func `responses come in the order of the requests, however fast they are sent`() async throws {
        try await TestServer.with { server in
            let client = try await server.join("alice")
            var burst: [UInt8] = []
            for id in 0..<200 {
                let method = id % 3 == 0 ? "getRouterRtpCapabilities" : id % 3 == 1 ? "nonsense" : "restartIce"
                burst += WebSocketClient.frame(
                    1, Array("{\"request\":true,\"id\":\(id),\"method\":\"\(method)\"}".utf8))
            }
            try await client.raw.send(burst)
            for id in 0..<200 {
                var message = try await client.nextMessage()
                while message["response"] == nil { message = try await client.nextMessage() }
                #expect(message["id"] == .integer(Int64(id)))
                #expect(message["ok"] == .bool(id % 3 == 0))
            }
        }
    }

    @Test func `garbage with an id is answered, garbage without is not, and the client stays`() async throws {
        try await TestServer.with { server in
            let client = try await server.join("alice")
            for text in ["", "nonsense", "[]", "{}", "{\"response\":true,\"id\":9,\"ok\":true}", "\u{0}"] {
                try await client.send(text)
            }
            try await client.send("{\"request\":true,\"id\":41,\"method\":\"produce\",\"data\":{\"kind\":\"audio\"}}")
            let wrong = try await client.response(to: 41)
            #expect(wrong["errorCode"] == .integer(400))
            #expect(wrong["errorReason"] == .string("transportId: missing"))
            try await client.send("{\"request\":true,\"id\":42,\"method\":\"fly\"}")
            let unknown = try await client.response(to: 42)
            #expect(unknown["errorCode"] == .integer(500))
            #expect(unknown["errorReason"] == .string("unknown request.method \"fly\""))
            #expect(try await client.request("getRouterRtpCapabilities")["ok"] == .bool(true))
            let counters = server.gateway.counters.snapshot()
            #expect(counters.rejectedMessages["not_json"] == 3)
            #expect(counters.rejectedMessages["not_a_message"] == 2)
            #expect(counters.rejectedMessages["unexpected_response"] == 1)
            #expect(counters.rejectedMessages["unknown_method"] == 1)
            #expect(counters.requests[.init(method: "unknown", outcome: "unknown-method")] == 1)
        }
    }

    // MARK: Framing

    @Test func `a request in many fragments with pings between them is one request`() async throws {
        try await TestServer.with { server in
            let client = try await server.join("alice")
            let text = Array("{\"request\":true,\"id\":7,\"method\":\"getRouterRtpCapabilities\"}".utf8)
            for (index, byte) in text.enumerated() {
                try await client.sendFrame(index == 0 ? 1 : 0, [byte], isFinal: index == text.count - 1)
                if index == 20 { try await client.sendFrame(9, [1, 2]) }
            }
            var pong: WebSocketClient.Frame?
            while pong == nil {
                let frame = try await client.nextFrame()
                if frame.opcode == 10 { pong = frame }
            }
            #expect(pong?.payload == [1, 2])
            #expect(try await client.response(to: 7)["ok"] == .bool(true))
        }
    }

    struct Violation: CustomTestStringConvertible {
        var testDescription: String
        var bytes: [UInt8]
        var code: Int
    }

    @Test(arguments: [
        Violation(testDescription: "unmasked", bytes: WebSocketClient.frame(1, [65], isMasked: false), code: 1002),
        Violation(testDescription: "reserved bit", bytes: WebSocketClient.frame(1, [65], reserved: 4), code: 1002),
        Violation(testDescription: "opcode 3", bytes: WebSocketClient.frame(3, [65]), code: 1002),
        Violation(testDescription: "lone continuation", bytes: WebSocketClient.frame(0, [65]), code: 1002),
        Violation(testDescription: "fragmented ping", bytes: WebSocketClient.frame(9, [1], isFinal: false), code: 1002),
        Violation(
            testDescription: "ping of 126 bytes", bytes: WebSocketClient.frame(9, [UInt8](repeating: 0, count: 126)),
            code: 1002),
        Violation(testDescription: "binary", bytes: WebSocketClient.frame(2, [65]), code: 1003),
        Violation(testDescription: "not UTF-8", bytes: WebSocketClient.frame(1, [0xFF, 0xFE]), code: 1007),
        Violation(
            testDescription: "long message in one frame",
            bytes: WebSocketClient.frame(1, [UInt8](repeating: 65, count: 20_001)), code: 1009),
        Violation(
            testDescription: "long message in fragments",
            bytes: WebSocketClient.frame(1, [UInt8](repeating: 65, count: 15_000), isFinal: false)
                + WebSocketClient.frame(0, [UInt8](repeating: 65, count: 15_000), isFinal: false), code: 1009),
    ])
    func `a violation closes with its own code`(_ violation: Violation) async throws {
        var limits = GatewayLimits.patient
        limits.messageBytes = 20_000
        limits.closeTimeout = .milliseconds(200)
        try await TestServer.with(limits: limits) { server in
            let client = try await server.join("alice")
            try await client.raw.send(violation.bytes)
            #expect(try await client.closeFrame().closeCode == violation.code)
            _ = await client.raw.readToEnd()
            try await eventually { server.rooms.list().isEmpty }
        }
    }

    @Test func `a message of the whole limit is taken`() async throws {
        try await TestServer.with { server in
            let client = try await server.join("alice")
            let head = "{\"request\":true,\"id\":1,\"method\":\"getRouterRtpCapabilities\",\"data\":{\"x\":\""
            let text = head + String(repeating: "x", count: 65_536 - head.utf8.count - 3) + "\"}}"
            #expect(text.utf8.count == 65_536)
            try await client.send(text)
            #expect(try await client.response(to: 1)["ok"] == .bool(true))
        }
    }

    @Test func `a client that does not read is cut off`() async throws {
        var limits = GatewayLimits.patient
        limits.outgoingBytes = 200_000
        try await TestServer.with(limits: limits) { server in
            let client = try await WebSocketClient.open(
                port: server.port, target: "/?roomId=lobby&peerId=deaf", reads: false)
            try await eventually { server.rooms.totals().counts.peers == 1 }
            let request = WebSocketClient.frame(
                1, Array("{\"request\":true,\"id\":1,\"method\":\"getRouterRtpCapabilities\"}".utf8))
            // The kernel's buffers take some megabytes before anything waits in the server. Writing fails once it ends.
            for _ in 0..<200 where server.rooms.totals().counts.peers == 1 {
                guard (try? await client.raw.send(Array(repeatElement(request, count: 100).joined()))) != nil else {
                    break
                }
            }
            try await eventually { server.rooms.totals().counts.peers == 0 }
            #expect(server.gateway.counters.snapshot().closes["1006"] == 1)
        }
    }

    @Test func `a client that answers no ping is gone, and its peer with it`() async throws {
        var limits = GatewayLimits.patient
        limits.pingInterval = .milliseconds(100)
        limits.silenceTimeout = .milliseconds(300)
        try await TestServer.with(limits: limits) { server in
            let silent = try await server.join("silent")
            _ = await silent.raw.readToEnd()
            try await eventually { server.rooms.list().isEmpty }
        }
    }

    // MARK: Rooms

    @Test func `peers see each other come and go`() async throws {
        try await TestServer.with { server in
            let alice = try await server.join("alice")
            _ = try await alice.join("Alice")
            let bob = try await server.join("bob")
            guard case .array(let peers)? = try await bob.join("Bob")["data"]?["peers"] else {
                Issue.record("no peers")
                return
            }
            #expect(peers.map { $0["id"] } == [.string("alice")])
            #expect(try await alice.notification("newPeer")["data"]?["id"] == .string("bob"))
            let http = try await server.connect()
            try await http.send("GET /rooms/lobby HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let snapshot = try JSONValue(parsing: try await http.readResponse().body)
            guard case .array(let seen)? = snapshot["peers"] else {
                Issue.record("no peers in \(snapshot)")
                return
            }
            #expect(seen.map { $0["id"] } == [.string("alice"), .string("bob")])
            try await bob.close()
            #expect(try await alice.notification("peerClosed")["data"]?["peerId"] == .string("bob"))
        }
    }

    @Test func `a second connection of a peer takes the first one's place`() async throws {
        var limits = GatewayLimits.patient
        // Else the server gives the first client up if this test has no turn for two seconds.
        limits.closeTimeout = .seconds(60)
        try await TestServer.with(limits: limits) { server in
            let first = try await server.join("alice")
            _ = try await first.join("Alice")
            let second = try await server.join("alice")
            let close = try await first.closeFrame()
            try await first.sendFrame(8, [0x0F, 0xA0])
            #expect(close.closeCode == 4000)
            #expect(String(decoding: close.payload.dropFirst(2), as: UTF8.self).hasPrefix("closed by protoo-server"))
            #expect(try await second.join("Alice")["ok"] == .bool(true))
            _ = await first.raw.readToEnd()
            #expect(server.rooms.totals().counts.peers == 1)
            #expect(try await second.request("getRouterRtpCapabilities")["ok"] == .bool(true))
            try await second.close()
        }
    }

    @Test func `a full room refuses with "try again later"`() async throws {
        var configuration = RoomConfiguration()
        configuration.maximumPeers = 1
        try await TestServer.with(rooms: configuration) { server in
            let alice = try await server.join("alice")
            #expect(try await alice.join("Alice")["ok"] == .bool(true))
            let bob = try await server.join("bob")
            #expect(try await bob.closeFrame().closeCode == 1013)
            #expect(try await alice.request("getRouterRtpCapabilities")["ok"] == .bool(true))
        }
    }

    @Test func `a stopping server says so to every client and leaves nothing behind`() async throws {
        try await TestServer.with { server in
            var clients: [WebSocketClient] = []
            for number in 0..<20 { clients.append(try await server.join("p\(number)", room: "r\(number % 3)")) }
            await server.stop()
            for client in clients {
                #expect(try await client.closeFrame().closeCode == 1001)
                // Under load the server may have given up waiting for this.
                try? await client.sendFrame(8, [0x03, 0xE9])
                _ = await client.raw.readToEnd()
            }
            #expect(server.rooms.list().isEmpty)
            await server.stop()
        }
    }

    @Test func `two hundred clients come and go, and nothing is left`() async throws {
        try await TestServer.with { server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let client = try await server.join("p\(number)", room: "r\(number % 7)")
                        #expect(try await client.join("P\(number)")["ok"] == .bool(true))
                        // Half of them say goodbye, half just vanish.
                        if number % 2 == 0 { try await client.close() } else { await client.raw.close() }
                    }
                }
                try await group.waitForAll()
            }
            try await eventually {
                let snapshot = server.gateway.counters.snapshot()
                return snapshot.openConnections == 0 && snapshot.openSessions == 0 && server.rooms.list().isEmpty
            }
            let snapshot = server.gateway.counters.snapshot()
            #expect(snapshot.acceptedConnections == 200)
            #expect(snapshot.requests[.init(method: "join", outcome: "ok")] == 200)
        }
    }
}

/// What a room asks of a client, and in which order it arrives.
@Suite(.timeLimit(.minutes(15))) struct ServerRequestTests {
    private let opus = """
        {"codecs":[{"mimeType":"audio/opus","payloadType":111,"clockRate":48000,"channels":2}],
        "encodings":[{"ssrc":1234}],"rtcp":{"cname":"a"}}
        """

    /// Alice sends audio; the returned Bob can receive and is about to join.
    private func meet(_ server: TestServer) async throws -> (
        alice: WebSocketClient, bob: WebSocketClient, join: JSONValue
    ) {
        let alice = try await server.join("alice")
        _ = try await alice.join("Alice")
        let transport = try await alice.request("createWebRtcTransport", .object(["producing": .bool(true)]))
        let produced = try await alice.request(
            "produce",
            .object([
                "transportId": transport["data"]?["id"] ?? .null, "kind": .string("audio"),
                "rtpParameters": try JSONValue(parsing: opus), "appData": .object([:]),
            ]))
        #expect(produced["ok"] == .bool(true), "\(produced)")
        let bob = try await server.join("bob")
        let capabilities = try await bob.request("getRouterRtpCapabilities")["data"] ?? .null
        _ = try await bob.request("createWebRtcTransport", .object(["consuming": .bool(true)]))
        let join: JSONValue = .object(["displayName": .string("Bob"), "rtpCapabilities": capabilities])
        return (alice, bob, join)
    }

    private func newConsumer(_ client: WebSocketClient) async throws -> JSONValue {
        while true {
            let message = try await client.nextMessage()
            if message["request"] == .bool(true), message["method"] == .string("newConsumer") { return message }
        }
    }

    @Test func `newConsumer follows the response of the join that caused it`() async throws {
        try await TestServer.with { server in
            let (_, bob, join) = try await meet(server)
            #expect(try await bob.request("join", join)["ok"] == .bool(true))
            #expect(!bob.backlog.contains { $0["method"] == .string("newConsumer") })
            let request = try await newConsumer(bob)
            #expect(request["data"]?["peerId"] == .string("alice"))
            #expect(request["data"]?["kind"] == .string("audio"))
            let id = try #require(request["id"])
            try await bob.send(
                JSONValue.object(["response": .bool(true), "id": id, "ok": .bool(true), "data": .object([:])]).text)
            let resume = try await bob.request(
                "resumeConsumer", .object(["consumerId": request["data"]?["id"] ?? .null]))
            #expect(resume["ok"] == .bool(true))
            #expect(server.gateway.counters.snapshot().rejectedMessages.isEmpty)
        }
    }

    @Test func `a client that does not answer newConsumer loses the consumer, not the connection`() async throws {
        var limits = GatewayLimits.patient
        limits.responseTimeout = .milliseconds(100)
        try await TestServer.with(limits: limits) { server in
            let (_, bob, join) = try await meet(server)
            _ = try await bob.request("join", join)
            _ = try await newConsumer(bob)
            try await eventually { server.gateway.counters.snapshot().outgoingRequestTimeouts == 1 }
            #expect(try await bob.request("getRouterRtpCapabilities")["ok"] == .bool(true))
        }
    }
}
