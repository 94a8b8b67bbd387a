import NIOCore
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// Signaling without a WebSocket: requests by POST, events as a stream.
@Suite(.timeLimit(.minutes(15))) struct PeerEndpointsTests {
    /// One event stream, taken apart.
    private final class Events {
        let raw: RawClient
        private var rest = ""
        private(set) var messages: [(id: String?, json: JSONValue)] = []
        private var looked = 0

        init(_ server: TestServer, _ path: String, token: String, after id: String? = nil) async throws {
            raw = try await server.connect()
            let last = id.map { "Last-Event-ID: \($0)\r\n" } ?? ""
            // HTTP/1.0 has no chunks: behind the head there is nothing but the events.
            try await raw.send("GET \(path)?session=\(token) HTTP/1.0\r\nHost: x\r\n\(last)\r\n")
            while rest.firstRange(of: "\n\n") == nil { try await more() }
            let head = rest.firstRange(of: "\n\n")?.upperBound ?? rest.endIndex
            #expect(rest[..<head].contains("text/event-stream"), "\(rest)")
            rest = String(rest[head...])
            take()
        }

        private func more() async throws {
            guard await raw.readMore() else { throw RawClient.Ended() }
            rest += String(decoding: try await raw.take(raw.received.readableBytes), as: UTF8.self)
            // To Swift a CR and a LF are one character, which is not a LF.
            rest = rest.replacing("\r\n", with: "\n")
        }

        /// Reads on until a message of this method has come that was not looked at before.
        func read(until method: String) async throws -> JSONValue {
            while true {
                while looked < messages.count {
                    defer { looked += 1 }
                    if messages[looked].json["method"] == .string(method) { return messages[looked].json }
                }
                try await more()
                take()
            }
        }

        private func take() {
            while let end = rest.firstRange(of: "\n\n") {
                let lines = rest[..<end.lowerBound].split(separator: "\n")
                rest = String(rest[end.upperBound...])
                let id = lines.last { $0.hasPrefix("id: ") }?.dropFirst(4)
                guard let data = lines.last(where: { $0.hasPrefix("data: ") })?.dropFirst(6),
                    let json = try? JSONValue(parsing: String(data))
                else { continue }
                messages.append((id.map(String.init), json))
            }
        }

        var numbers: [Int] { messages.compactMap { $0.id.flatMap { Int($0) } } }
        var lastID: String? { messages.last { $0.id != nil }?.id }
    }

    private func send(
        _ server: TestServer, _ method: String, _ path: String, _ body: String = "", token: String? = nil,
        type: String = "application/json"
    ) async throws -> RawResponse {
        let raw = try await server.connect()
        let field = token.map { "Signaling-Session: \($0)\r\n" } ?? ""
        try await raw.send(
            "\(method) \(path) HTTP/1.1\r\nHost: x\r\nContent-Type: \(type)\r\n\(field)"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        let response = try await raw.readResponse()
        await raw.close()
        return response
    }

    private static let ann = "/rooms/lobby/peers/ann"

    private func join(_ server: TestServer, name: String = "Ann") async throws -> String {
        let reply = try await send(
            server, "POST", Self.ann + "/requests", "{\"method\":\"join\",\"data\":{\"displayName\":\"\(name)\"}}")
        #expect(reply.status == 200, "\(reply.body)")
        guard case .string(let token)? = try JSONValue(parsing: reply.body)["session"]?["token"] else {
            throw NeverHappened()
        }
        return token
    }

    private func code(_ response: RawResponse) throws -> JSONValue? {
        try JSONValue(parsing: response.body)["error"]?["code"]
    }

    @Test func `a peer that joins gets a token, and with it requests are answered and events come`() async throws {
        try await TestServer.with { server in
            let capabilities = try await send(
                server, "POST", Self.ann + "/requests", "{\"method\":\"getRouterRtpCapabilities\"}")
            #expect(try JSONValue(parsing: capabilities.body)["codecs"] != nil)
            #expect(server.rooms.list().isEmpty, "who only asks is nobody's peer")
            let token = try await join(server)
            let events = try await Events(server, Self.ann + "/events", token: token)
            #expect(try await events.read(until: "resumed")["data"]?["received"] == .integer(0))
            let bob = try await server.join("bob")
            guard case .array(let peers)? = try await bob.join("Bob")["data"]?["peers"] else { throw NeverHappened() }
            #expect(peers.first?["displayName"] == .string("Ann"))
            #expect(try await events.read(until: "newPeer")["data"]?["id"] == .string("bob"))
            #expect(events.numbers == [1, 2], "the version, and the peer")
            let reply = try await send(
                server, "POST", Self.ann + "/requests",
                "{\"id\":\"a\",\"method\":\"changeDisplayName\",\"data\":{\"displayName\":\"Anna\"}}", token: token)
            #expect(reply.status == 200 && reply.body == "{}")
            #expect(try await bob.notification("peerDisplayNameChanged")["data"]?["displayName"] == .string("Anna"))
            #expect(try await send(server, "DELETE", Self.ann, token: token).status == 204)
            #expect(try await bob.notification("peerClosed")["data"]?["peerId"] == .string("ann"))
            #expect(try await events.read(until: "sessionClosed")["data"]?["reason"] == .string("left"))
            #expect(try code(try await send(server, "DELETE", Self.ann, token: token)) == .string("session-not-found"))
        }
    }

    @Test func `a stream that breaks goes on after the last event that arrived`() async throws {
        try await TestServer.with { server in
            let token = try await join(server)
            let first = try await Events(server, Self.ann + "/events", token: token)
            let bob = try await server.join("bob")
            _ = try await bob.join("Bob")
            _ = try await first.read(until: "newPeer")
            await first.raw.close()
            for name in ["B", "Bo"] {
                _ = try await bob.request("changeDisplayName", .object(["displayName": .string(name)]))
            }
            let second = try await Events(server, Self.ann + "/events", token: token, after: first.lastID)
            while second.numbers.count < 2 { _ = try await second.read(until: "peerDisplayNameChanged") }
            _ = try await bob.request("changeDisplayName", .object(["displayName": .string("Bob")]))
            while second.numbers.count < 3 { _ = try await second.read(until: "peerDisplayNameChanged") }
            #expect(first.numbers + second.numbers == [1, 2, 3, 4, 5])
            #expect(server.rooms.totals().counts.peers == 2)
            let wrong = try await send(server, "GET", Self.ann + "/events?session=\(token)&lastEventId=99")
            #expect(wrong.status == 400)
        }
    }

    @Test func `a repeated request is answered from the record`() async throws {
        try await TestServer.with { server in
            let token = try await join(server)
            let bob = try await server.join("bob")
            _ = try await bob.join("Bob")
            for name in ["Anna", "Annette"] {
                let reply = try await send(
                    server, "POST", Self.ann + "/requests",
                    "{\"id\":5,\"method\":\"changeDisplayName\",\"data\":{\"displayName\":\"\(name)\"}}", token: token)
                #expect(reply.status == 200)
            }
            _ = try await send(
                server, "POST", Self.ann + "/requests",
                "{\"id\":6,\"method\":\"changeDisplayName\",\"data\":{\"displayName\":\"Anne\"}}", token: token)
            #expect(try await bob.notification("peerDisplayNameChanged")["data"]?["displayName"] == .string("Anna"))
            #expect(try await bob.notification("peerDisplayNameChanged")["data"]?["displayName"] == .string("Anne"))
        }
    }

    @Test func `every refusal says what is wrong`() async throws {
        try await TestServer.with { server in
            let token = try await join(server)
            let requests = Self.ann + "/requests"
            for (status, name, response) in [
                (401, "session-required", try await send(server, "POST", requests, "{\"method\":\"produce\"}")),
                (404, "session-not-found", try await send(server, "POST", requests, "{\"method\":\"x\"}", token: "x")),
                (404, "unknown-method", try await send(server, "POST", requests, "{\"method\":\"fly\"}", token: token)),
                (
                    409, "peer-already-joined",
                    try await send(server, "POST", requests, "{\"method\":\"join\"}", token: token)
                ),
                (400, "invalid-request", try await send(server, "POST", requests, "{\"method\":5}", token: token)),
                (400, "invalid-request", try await send(server, "POST", requests, "nonsense", token: token)),
                (
                    400, "invalid-request",
                    try await send(server, "POST", requests, "{\"method\":\"join\",\"data\":{\"displayName\":5}}")
                ),
                (
                    415, "unsupported-media-type",
                    try await send(server, "POST", requests, "{\"method\":\"x\"}", token: token, type: "text/plain")
                ),
                (405, "method-not-allowed", try await send(server, "GET", requests)),
                (404, "session-not-found", try await send(server, "GET", Self.ann + "/events")),
                (
                    404, "request-not-found",
                    try await send(server, "POST", Self.ann + "/responses", "{\"id\":5,\"ok\":true}", token: token)
                ),
                (
                    400, "invalid-request",
                    try await send(server, "POST", Self.ann + "/responses", "{\"id\":5}", token: token)
                ),
                (400, "invalid-parameter", try await send(server, "POST", "/rooms/%00/peers/a/requests", "{}")),
            ] {
                // A NUL is refused with the target, before anybody asks what it names.
                #expect(response.status == status, "\(name): \(response.body)")
                if name != "invalid-parameter" { #expect(try code(response) == .string(name)) }
            }
            let preflight = try await send(server, "OPTIONS", requests)
            #expect(preflight.status == 204 && preflight.fields["access-control-allow-methods"] == "POST, OPTIONS")
        }
    }

    @Test func `a session is picked up from a WebSocket by events, and from events by a WebSocket`() async throws {
        try await TestServer.with { server in
            let bob = try await server.join("bob")
            _ = try await bob.join("Bob")
            let ann = try await ResumingClient(server, "ann")
            try await ann.request(1, "join", .object(["displayName": .string("Ann")]))
            try await ann.receive { !ann.responses(to: 1).isEmpty }
            await ann.cut()
            _ = try await bob.request("changeDisplayName", .object(["displayName": .string("B")]))
            let events = try await Events(server, Self.ann + "/events", token: ann.token, after: "\(ann.received)")
            #expect(try await events.read(until: "peerDisplayNameChanged")["seq"] == .integer(ann.received + 1))
            let reply = try await send(
                server, "POST", Self.ann + "/requests",
                "{\"id\":1,\"method\":\"join\",\"data\":{}}", token: ann.token)
            #expect(reply.status == 200, "the reply to what the WebSocket carried")
            await events.raw.close()
            _ = try await bob.request("changeDisplayName", .object(["displayName": .string("Bo")]))
            try await ann.resume()
            try await ann.receive { ann.messages.last?["data"]?["displayName"] == .string("Bo") }
            #expect(!bob.backlog.contains { $0["method"] == .string("peerClosed") })
        }
    }

    @Test func `a peer that neither asks nor listens has left`() async throws {
        var limits = GatewayLimits.patient
        // Long enough to join in, however busy the machine.
        limits.eventsWindow = .seconds(2)
        try await TestServer.with(limits: limits) { server in
            _ = try await join(server)
            try await eventually { server.rooms.list().isEmpty }
        }
    }
}
