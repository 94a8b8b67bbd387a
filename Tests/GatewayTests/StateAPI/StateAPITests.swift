import Foundation
import HTTPTypes
import NIOCore
import RoundhouseMedia
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// `/api/v1` over sockets and without, and the document that describes it.
@Suite(.timeLimit(.minutes(15))) struct StateAPITests {
    private func api(token: Secret? = "secret") throws -> StateAPI {
        let rooms = try RoomRegistry(media: .recording { _, _ in true })
        let access = AccessControl(adminToken: token, counters: GatewayCounters())
        return StateAPI(registry: rooms, admin: AdminAccess(access: access), media: { [TestServer.sampleCounters] })
    }

    private func request(
        _ target: String, _ method: HTTPRequest.Method = .get, from address: String = "127.0.0.1",
        host: String = "localhost:3016", fields: HTTPFields = [.authorization: "Bearer secret"]
    ) throws -> IncomingRequest {
        IncomingRequest(
            head: HTTPRequest(method: method, scheme: "http", authority: host, path: target, headerFields: fields),
            remoteAddress: ClientAddress(try SocketAddress(ipAddress: address, port: 1)))
    }

    private func status(_ api: StateAPI, _ request: IncomingRequest) async throws -> Int? {
        let target = try #require(request.target)
        return await api.respond(to: request, target)?.head.status.code
    }

    // MARK: Access

    @Test func `with an admin token, a request without it is refused from everywhere`() async throws {
        let api = try api()
        #expect(try await status(api, request("/api/v1/rooms")) == 200)
        for field in ["Bearer wrong", "Bearer secre", "Bearer secrets", "Bearer", "Basic secret", "secret", ""] {
            #expect(try await status(api, request("/api/v1/rooms", fields: [.authorization: field])) == 401, "\(field)")
        }
        let refusal = await api.respond(to: try request("/api/v1/rooms", fields: [:]), RequestTarget("/api/v1/rooms")!)
        #expect(refusal?.head.headerFields[.wwwAuthenticate] == "Bearer realm=\"roundhouse\"")
        #expect(try await status(api, request("/api/v1/rooms/a", .delete, fields: [:])) == 401)
    }

    @Test func `without one this machine may read and nobody may change`() async throws {
        let api = try api(token: nil)
        for (address, host) in [("127.0.0.1", "localhost:3016"), ("127.8.8.8", "127.0.0.1"), ("::1", "[::1]:3016")] {
            #expect(try await status(api, request("/api/v1/rooms", from: address, host: host)) == 200, "\(address)")
        }
        #expect(try await status(api, request("/api/v1/rooms", from: "192.0.2.1")) == 403)
        #expect(try await status(api, request("/api/v1/rooms", host: "evil.example")) == 403)
        let proxied: HTTPFields = [.init("X-Forwarded-For")!: "192.0.2.1"]
        #expect(try await status(api, request("/api/v1/rooms", fields: proxied)) == 403)
        #expect(try await status(api, request("/api/v1/rooms/a", .delete)) == 403)
        #expect(try await status(api, request("/api/v1/rooms/a/producers/b/pause", .post)) == 403)
    }

    // MARK: Requests

    @Test(arguments: [
        "/api/v1/rooms?limit=0", "/api/v1/rooms?limit=1001", "/api/v1/rooms?limit=", "/api/v1/rooms?limit=%2B5",
        "/api/v1/rooms?limit=5&limit=5", "/api/v1/rooms?offset=-1", "/api/v1/rooms?offset=99999999999999999999",
        "/api/v1/rooms?minPeers=x", "/api/v1/rooms?name=" + String(repeating: "n", count: 257),
        "/api/v1/rooms?nothing=1", "/api/v1/rooms/a?limit=1",
        "/api/v1/rooms/a/peers?joined=yes", "/api/v1/rooms/a/producers?kind=smell",
        "/api/v1/rooms/a/consumers?paused=1", "/api/v1/shards?x", "/api/v1/events?limit=1",
    ])
    func `a parameter that is unknown, repeated or out of its range is named`(_ target: String) async throws {
        #expect(try await status(api(), request(target)) == 400)
    }

    @Test func `what is not there is 404, and what cannot be done 405`() async throws {
        let api = try api()
        for path in ["", "/", "/room", "/rooms/a/b", "/rooms/a/peers/b/c", "/rooms/a/producers/b/stop", "/events/x"] {
            #expect(try await status(api, request("/api/v1" + path)) == 404, "\(path)")
        }
        for path in ["", "/snapshot", "/events", "/peers", "/peers/b", "/transports", "/consumers/c"] {
            #expect(try await status(api, request("/api/v1/rooms/nobody" + path)) == 404, "\(path)")
        }
        for (path, method) in [
            ("/rooms", HTTPRequest.Method.put), ("/rooms/a", .put), ("/rooms/a/peers", .delete), ("/events", .post),
            ("/rooms/a/producers/b/pause", .get),
        ] {
            let request = try request("/api/v1" + path, method)
            let response = await api.respond(to: request, try #require(request.target))
            #expect(response?.head.status == .methodNotAllowed && response?.head.headerFields[.allow] != nil, "\(path)")
        }
        #expect(try await status(api, request("/rooms")) == nil)
        #expect(try await status(api, request("/api/v1/rooms", .head)) == 200)
    }

    @Test func `lists are paged and filtered`() async throws {
        try await TestServer.with(adminToken: "secret") { server in
            var clients: [WebSocketClient] = []
            for (room, count) in [("alpha", 1), ("beta", 2), ("gamma", 3)] {
                for index in 0..<count { clients.append(try await server.join("peer\(index)", room: room)) }
            }
            func names(_ query: String) async throws -> (ids: [String], total: Int?) {
                let json = try await server.get("/api/v1/rooms" + query)
                return (json["rooms"]?.array?.compactMap { $0["id"]?.string } ?? [], json["total"]?.integer)
            }
            #expect(try await names("") == (["alpha", "beta", "gamma"], 3))
            #expect(try await names("?limit=1&offset=1") == (["beta"], 3))
            #expect(try await names("?offset=3") == ([], 3))
            #expect(try await names("?name=m") == (["gamma"], 1))
            #expect(try await names("?minPeers=2") == (["beta", "gamma"], 2))
            let peers = try await server.get("/api/v1/rooms/gamma/peers?limit=2")
            #expect(peers["peers"]?.array?.compactMap { $0["id"]?.string } == ["peer0", "peer1"])
            #expect(peers["total"]?.integer == 3)
            #expect(try await server.get("/api/v1/rooms/gamma/peers?joined=true")["total"]?.integer == 0)
            #expect(try await server.get("/api/v1/rooms/beta")["peers"]?.integer == 2)
            for client in clients { try await client.close() }
        }
    }

    // MARK: The event stream

    @Test func `events are streamed in order, and picked up where a client left`() async throws {
        try await TestServer.with(adminToken: "secret") { server in
            let reader = try await server.connect()
            try await reader.send(eventRequest())
            let hello = try await reader.readEvent()
            #expect(hello["event"] == "hello" && hello["data"]?.contains("\"gap\":false") == true)
            let client = try await server.join("ann")
            let opened = try await reader.readEvent()
            let connected = try await reader.readEvent()
            #expect(opened["event"] == "room-opened" && connected["event"] == "peer-connected")
            #expect(connected["data"]?.contains("\"sequence\":2") == true)
            await reader.close()
            try await client.close()
            let again = try await server.connect()
            try await again.send(eventRequest(after: opened["id"] ?? ""))
            #expect(try await again.readEvent()["id"] == opened["id"])
            #expect(try await again.readEvent() == connected)
            #expect(try await again.readEvent()["event"] == "peer-left")
            #expect(try await again.readEvent()["event"] == "room-closed")
            await again.close()
            let stranger = try await server.connect()
            try await stranger.send(eventRequest(after: "1-1", room: "elsewhere"))
            #expect(try await stranger.readEvent()["data"]?.contains("\"gap\":true") == true)
            await stranger.close()
            try await eventually { server.gateway.counters.snapshot().openEventStreams == 0 }
            #expect(server.gateway.counters.snapshot().endedEventStreams == [.clientLeft: 3])
        }
    }

    @Test func `a server that stops ends its event streams whole`() async throws {
        let log = try RoomRegistry(media: .recording { _, _ in true }).events
        let feed = RoomEventFeed(log: log, limits: GatewayLimits())
        let stream = try #require(feed.open(room: nil, after: nil, loan: .testing).events)
        #expect(feed.count == 1)
        feed.close()
        guard case .write(let bytes) = stream.next(limit: 4096) else {
            Issue.record("the hello is sent")
            return
        }
        #expect(String(buffer: bytes).hasPrefix("id: "))
        guard case .end = stream.next(limit: 4096) else {
            Issue.record("the stream ends")
            return
        }
        #expect(feed.count == 0)
        #expect(feed.open(room: nil, after: nil, loan: .testing).head.status == .serviceUnavailable)
    }

    @Test func `no more streams are opened than may be`() throws {
        let log = try RoomRegistry(media: .recording { _, _ in true }).events
        var limits = GatewayLimits()
        limits.eventStreams = 2
        let feed = RoomEventFeed(log: log, limits: limits)
        let first = try #require(feed.open(room: nil, after: nil, loan: .testing).events)
        _ = feed.open(room: nil, after: nil, loan: .testing)
        #expect(feed.open(room: nil, after: nil, loan: .testing).head.status == .serviceUnavailable)
        first.connectionClosed()
        #expect(feed.open(room: nil, after: nil, loan: .testing).head.status == .ok)
    }

    private func eventRequest(after last: String? = nil, room: String? = nil) -> String {
        "GET /api/v1/events\(room.map { "?room=\($0)" } ?? "") HTTP/1.1\r\nHost: localhost\r\n"
            + "Authorization: Bearer secret\r\n" + (last.map { "Last-Event-ID: \($0)\r\n" } ?? "") + "\r\n"
    }

    // MARK: The document

    @Test func `the document has every path and method, and the code every path and method of the document`() throws {
        let response = StaticAssets().response(
            to: try request("/api/openapi.json"), path: ["api", "openapi.json"])
        let document = try JSONValue(parsing: String(decoding: try #require(response).body, as: UTF8.self))
        let paths = try #require(document["paths"]?.object)
        var documented: [StateRoute] = []
        for (path, item) in paths {
            let segments = path.split(separator: "/").map { $0.hasPrefix("{") ? "x" : String($0) }
            let route = try #require(StateRoute(segments.dropFirst(2)), "\(path)")
            documented.append(route)
            let methods = Set(try #require(item.object).keys).subtracting(["parameters"])
            #expect(methods == Set(route.methods.map { $0.rawValue.lowercased() }), "\(path)")
            let parameters = item["get"]?["parameters"]?.array ?? []
            let names = parameters.filter { $0["in"]?.string == "query" }.compactMap { $0["name"]?.string }
            #expect(Set(names) == Set(route.parameters), "\(path)")
        }
        let room = RoomID("x")
        let routes: [StateRoute] = [
            .rooms, .room(room), .snapshot(room), .recentEvents(room), .minutes(room), .peers(room),
            .peer(room, PeerID("x")),
            .explanation(room, PeerID("x")), .explanationEvents(room, PeerID("x")), .recording(room, PeerID("x")),
            .transports(room),
            .transport(room, TransportID("x")), .producers(room), .producer(room, ProducerID("x")),
            .producerPause(room, ProducerID("x"), isPaused: true),
            .producerPause(room, ProducerID("x"), isPaused: false), .consumers(room),
            .consumer(room, ConsumerID("x")), .server, .shards, .events, .allPeers, .history, .record(0), .audit,
            .mute(room),
            .lock(room, isLocked: true), .lock(room, isLocked: false), .messages(room), .invites(room), .bans(room),
            .ban(room, "x"), .peerBan(room, PeerID("x")),
        ]
        #expect(documented.count == routes.count)
        for route in routes { #expect(documented.contains(route), "\(route)") }
    }
}

extension JSONValue {
    fileprivate var object: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }
    fileprivate var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    fileprivate var string: String? { if case .string(let value) = self { value } else { nil } }
    fileprivate var integer: Int? { if case .integer(let value) = self { Int(value) } else { nil } }
}

extension TestServer {
    /// A GET with the admin token "secret", which has to succeed.
    fileprivate func get(_ target: String) async throws -> JSONValue {
        let client = try await connect()
        try await client.send(
            "GET \(target) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\nConnection: close\r\n\r\n")
        let response = try await client.readResponse()
        #expect(response.status == 200, "\(target): \(response.body)")
        return try JSONValue(parsing: response.body)
    }
}

extension RawClient {
    /// The next event's fields; chunks and heads of HTTP/1.1 are skipped.
    fileprivate func readEvent() async throws -> [String: String] {
        while true {
            if let text = takeText(through: "\n\n") {
                var fields: [String: String] = [:]
                for line in text.replacing("\r\n", with: "\n").split(separator: "\n") {
                    guard let colon = line.firstRange(of: ": ") else { continue }
                    fields[String(line[..<colon.lowerBound])] = String(line[colon.upperBound...])
                }
                if fields["data"] != nil { return fields }
                continue
            }
            guard await readMore() else { throw Ended() }
        }
    }
}
