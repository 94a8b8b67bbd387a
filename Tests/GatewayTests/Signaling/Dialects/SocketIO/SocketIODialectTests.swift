import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// The older Electron room server's events over real sockets and real rooms; only the media threads are missing.
@Suite(.timeLimit(.minutes(15))) struct SocketIODialectTests {
    private func post(
        _ server: TestServer, _ path: String, _ body: String, type: String = "application/x-www-form-urlencoded"
    ) async throws -> RawResponse {
        let client = try await server.connect()
        try await client.send(
            "POST /\(path) HTTP/1.1\r\nHost: x\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        )
        return try await client.readResponse()
    }

    private func answer(
        _ server: TestServer, _ path: String, _ body: String, type: String = "application/x-www-form-urlencoded"
    ) async throws -> JSONValue {
        let response = try await post(server, path, body, type: type)
        #expect(response.status == 200)
        return try JSONValue(parsing: response.body)
    }

    private func join(
        _ client: SocketIOClient, _ name: String, room: String = "123456789", password: String = ""
    ) async throws -> JSONValue {
        try await client.ask(
            "join", .object(["room_id": .string(room), "name": .string(name), "password": .string(password)]))
    }

    private func create(_ client: SocketIOClient, _ room: String = "123456789") async throws -> JSONValue {
        try await client.ask("createRoom", .object(["room_id": .string(room), "password": .string("")]))
    }

    private func text(_ value: JSONValue?) throws -> String {
        guard case .string(let text)? = value else { throw NeverHappened() }
        return text
    }

    private static let audio = JSONValue.object([
        "mid": .string("0"),
        "codecs": .array([
            .object([
                "mimeType": .string("audio/opus"), "payloadType": .integer(111), "clockRate": .integer(48000),
                "channels": .integer(2), "parameters": .object([:]), "rtcpFeedback": .array([]),
            ])
        ]),
        "headerExtensions": .array([]), "encodings": .array([.object(["ssrc": .integer(1111)])]),
        "rtcp": .object(["cname": .string("c")]),
    ])

    private func produce(_ client: SocketIOClient) async throws -> (transport: String, answer: JSONValue) {
        let transport = try text(try await client.ask("createWebRtcTransport")["id"])
        let answer = try await client.ask(
            "produce",
            .object([
                "kind": .string("audio"), "rtpParameters": Self.audio, "producerTransportId": .string(transport),
            ]))
        return (transport, answer)
    }

    // MARK: HTTP

    @Test func `a reserved name becomes a room with its password, by form and by JSON`() async throws {
        try await TestServer.with { server in
            for (body, type) in [
                ("password=a%20b%23", "application/x-www-form-urlencoded; charset=UTF-8"),
                ("{\"password\":\"a b#\"}", "application/json"),
            ] {
                let id = try text(try await answer(server, "createValidRoomId", body, type: type)["roomId"])
                #expect(id.count == 9)
                #expect(try await answer(server, "isRoomExisted", "roomId=\(id)") == .object(["existed": .bool(false)]))
                let client = try await SocketIOClient.open(port: server.port)
                let wrong = JSONValue.object(["room_id": .string(id), "password": .string("x")])
                #expect(try await client.ask("createRoom", wrong)["error"] == .string("wrong password"))
                let right = JSONValue.object(["room_id": .string(id), "password": .string("a b#")])
                #expect(try await client.ask("createRoom", right) == .string(id))
                #expect(try await client.ask("createRoom", right) == .string("already exists"))
                #expect(
                    try await answer(server, "isRoomExisted", "{\"roomId\":\(id)}", type: "application/json")
                        == .object(["existed": .bool(true), "needPassword": .bool(true)]))
                for (guess, isRight) in [("a+b%23", true), ("x", false), ("", false)] {
                    #expect(
                        try await answer(server, "checkPassword", "roomId=\(id)&password=\(guess)")
                            == .object(["valid": .bool(isRight)]))
                }
                #expect(try await join(client, "A", room: id, password: "x")["error"] == .string("wrong password"))
                #expect(try await join(client, "A", room: id, password: "a b#")["id"] == .string(id))
                await #expect(throws: (any Error).self, "the password guards the room for every dialect") {
                    let page = try await server.join("page", room: id)
                    _ = try await page.join("Page")
                }
                let page = try await WebSocketClient.open(
                    port: server.port, target: "/?roomId=\(id)&peerId=page&password=a%20b%23")
                #expect(try await page.join("Page")["ok"] == .bool(true))
                #expect(try await client.ask("exitRoom") == .string("successfully exited room"))
            }
        }
    }

    @Test func `unknown rooms, odd bodies and other methods are answered`() async throws {
        try await TestServer.with { server in
            #expect(try await answer(server, "isRoomExisted", "roomId=1") == .object(["existed": .bool(false)]))
            #expect(try await answer(server, "isRoomExisted", "") == .object(["existed": .bool(false)]))
            #expect(try await answer(server, "checkPassword", "roomId=1") == .object(["valid": .bool(true)]))
            #expect(
                try await answer(server, "checkPassword", "roomId=1&password=x") == .object(["valid": .bool(false)]))
            for (body, type) in [
                ("%zz", "text/plain"), ("[", "application/json"), ("[]", "application/json"),
                ("{\"password\":{}}", "application/json"), ("\u{0}=1", "application/x-www-form-urlencoded"),
                ("password=" + String(repeating: "x", count: 300), "application/x-www-form-urlencoded"),
            ] {
                #expect(
                    try await post(server, "createValidRoomId", body, type: type).status == 400, "\(body.prefix(20))")
            }
            let client = try await server.connect()
            try await client.send("GET /isRoomExisted HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try await client.readResponse().status == 405)
            let script = try await server.connect()
            try await script.send("GET /socket.io/socket.io.js HTTP/1.1\r\nHost: x\r\n\r\n")
            let response = try await script.readResponse()
            #expect(response.status == 200)
            #expect(response.fields["content-type"] == "text/javascript; charset=utf-8")
            #expect(response.body.contains("root.io = io"))
        }
    }

    // MARK: Coming and going

    @Test func `two clients of either transport meet, and each is sent what its app expects`() async throws {
        try await TestServer.with { server in
            let alice = try await SocketIOClient.open(port: server.port)
            let bob = try await SocketIOClient.openSocket(port: server.port)
            #expect(try await join(alice, "Alice")["error"] == .string("room does not exist"))
            #expect(try await create(alice) == .string("123456789"))
            let joined = try await join(alice, "Alice")
            #expect(joined["id"] == .string("123456789") && joined["socketid"] == .string(alice.id))
            #expect(try await alice.event("othersInRoom") == .array([]))
            let second = try await join(bob, "")
            let peers = try JSONValue(parsing: try text(second["peers"]))
            let nothing = JSONValue.object([:])
            func entry(_ id: String, _ name: String) -> JSONValue {
                .array([
                    .string(id),
                    .object([
                        "id": .string(id), "name": .string(name), "transports": nothing, "consumers": nothing,
                        "producers": nothing,
                    ]),
                ])
            }
            #expect(peers == .array([entry(alice.id, "Alice"), entry(bob.id, "unknow")]))
            #expect(
                try await bob.event("othersInRoom")
                    == .array([.object(["socketid": .string(alice.id), "name": .string("Alice")])]))
            #expect(
                try await alice.event("joined")
                    == .object([
                        "room_id": .string("123456789"), "name": .string("unknow"), "socketid": .string(bob.id),
                    ]))
            #expect(try await bob.ask("getMyRoomInfo")["peers"] == second["peers"])
            #expect(try await bob.ask("exitRoom") == .string("successfully exited room"))
            #expect(try await alice.event("a user is exits the room") == .object(["sockerid": .string(bob.id)]))
            #expect(try await bob.ask("exitRoom")["error"] == .string("not currently in a room"))
            _ = try await join(bob, "Bob")
            try await bob.close()
            #expect(try await alice.event("a user is disconnected") == .object(["sockerid": .string(bob.id)]))
            #expect(try await alice.ask("exitRoom") == .string("successfully exited room"))
            #expect(try await join(alice, "Alice")["error"] == .string("room does not exist"))
        }
    }

    @Test func `a client that joins elsewhere leaves where it was, and one that joins again stays`() async throws {
        try await TestServer.with { server in
            let alice = try await SocketIOClient.openSocket(port: server.port)
            _ = try await create(alice)
            _ = try await create(alice, "2")
            _ = try await join(alice, "Alice")
            #expect(try await join(alice, "Again")["id"] == .string("123456789"))
            #expect(server.rooms.list().map(\.counts.peers) == [1])
            let bob = try await SocketIOClient.openSocket(port: server.port)
            _ = try await join(bob, "Bob")
            #expect(try await join(alice, "Alice", room: "2")["id"] == .string("2"))
            #expect(try await bob.event("a user is exits the room") == .object(["sockerid": .string(alice.id)]))
            #expect(Set(server.rooms.list().map(\.id.rawValue)) == ["123456789", "2"])
        }
    }

    // MARK: Media

    @Test func `producers are announced, listed and consumed with the exact shapes`() async throws {
        try await TestServer.with { server in
            let alice = try await SocketIOClient.openSocket(port: server.port)
            let bob = try await SocketIOClient.open(port: server.port)
            _ = try await create(alice)
            _ = try await join(alice, "Alice")
            _ = try await join(bob, "Bob")
            let capabilities = try await bob.ask("getRouterRtpCapabilities")
            #expect(capabilities["codecs"] != nil)
            let (_, produced) = try await produce(alice)
            let producer = try text(produced["producer_id"])
            #expect(produced == .object(["producer_id": .string(producer)]))
            #expect(
                try await bob.event("newProducers")
                    == .array([
                        .object(["producer_id": .string(producer), "producer_socket_id": .string(alice.id)])
                    ]))
            let listed = JSONValue.array([
                .object([
                    "producer_id": .string(producer), "peerId": .string(alice.id),
                    "producer_socket_id": .string(alice.id),
                ])
            ])
            try await bob.tell("getProducers")
            #expect(try await bob.event("newProducers") == listed)
            try await alice.tell("getProducers")
            #expect(try await alice.event("newProducers") == listed, "its own are listed too")

            let transport = try text(
                try await bob.ask("createWebRtcTransport", .object(["forceTcp": .bool(false)]))["id"])
            let request = JSONValue.object([
                "consumerTransportId": .string(transport), "producerId": .string(producer),
                "rtpCapabilities": capabilities,
            ])
            let consumed = try await bob.ask("consume", request)
            guard case .object(let fields) = consumed else { throw NeverHappened() }
            #expect(Set(fields.keys) == ["producerId", "id", "kind", "rtpParameters", "type", "producerPaused"])
            let consumer = try text(consumed["id"])
            #expect(consumed["producerPaused"] == .bool(false) && consumed["type"] == .string("simple"))
            let asText = JSONValue.object([
                "consumerTransportId": .string(transport), "producerId": .string(producer),
                "rtpCapabilities": .string(capabilities.text),
            ])
            #expect(try await bob.ask("consume", asText)["kind"] == .string("audio"))
            try await bob.tell("consume", request)
            #expect(try await bob.event("consume callback")["peerId"] == .string(bob.id))

            let named = JSONValue.object(["consumer_id": .string(consumer)])
            #expect(try await bob.ask("pauseConsumer", named) == .string("success"))
            #expect(try await bob.ask("resumeConsumer", named) == .string("success"))
            let own = JSONValue.object(["producer_id": .string(producer)])
            #expect(try await alice.ask("pauseProducer", own) == .string("success"))
            #expect(try await bob.event("consumerPaused") == named)
            #expect(try await alice.ask("resumeProducer", own) == .string("success"))
            #expect(try await bob.event("consumerResumed") == named)
            try await alice.tell("producerClosed", own)
            #expect(try await bob.event("consumerClosed") == named)
        }
    }

    @Test func `a page user and a room server's client are in one room`() async throws {
        try await TestServer.with { server in
            let page = try await server.join("page", room: "shared")
            _ = try await page.request("createWebRtcTransport", .object(["consuming": .bool(true)]))
            let client = try await SocketIOClient.openSocket(port: server.port)
            #expect(try await create(client, "shared") == .string("already exists"))
            let capabilities = try await page.request("getRouterRtpCapabilities")["data"] ?? .null
            _ = try await page.request(
                "join",
                .object(["displayName": .string("Page"), "device": .object([:]), "rtpCapabilities": capabilities]))
            _ = try await join(client, "Client", room: "shared")
            #expect(
                try await client.event("othersInRoom")
                    == .array([.object(["socketid": .string("page"), "name": .string("Page")])]))
            #expect(try await page.notification("newPeer")["data"]?["displayName"] == .string("Client"))
            let (_, produced) = try await produce(client)
            let offer = try await page.nextMessage()
            #expect(offer["method"] == .string("newConsumer"))
            #expect(offer["data"]?["producerId"] == produced["producer_id"])
            try await page.close()
            #expect(try await client.event("a user is disconnected") == .object(["sockerid": .string("page")]))
        }
    }

    // MARK: What once hung

    @Test func `everything that hung is answered with an error`() async throws {
        try await TestServer.with { server in
            let client = try await SocketIOClient.openSocket(port: server.port)
            func refused(_ event: String, _ data: JSONValue = .object([:])) async throws -> String {
                try text(try await client.ask(event, data)["error"])
            }
            for event in ["getRouterRtpCapabilities", "createWebRtcTransport", "createSendTransport", "getMyRoomInfo"] {
                #expect(try await refused(event) == "not currently in a room")
            }
            #expect(try await refused("createRoom").contains("room_id"))
            #expect(try await refused("join", .object(["room_id": .string("a\nb")])).contains("room_id"))
            #expect(try await refused("fly") == "unknown event \"fly\"")
            let parameters = JSONValue.object([
                "role": .string("client"),
                "fingerprints": .array([
                    .object([
                        "algorithm": .string("sha-256"),
                        "value": .string(Array(repeating: "AB", count: 32).joined(separator: ":")),
                    ])
                ]),
            ])
            func connect(_ id: String) -> JSONValue {
                .object(["transport_id": .string(id), "dtlsParameters": parameters])
            }
            let fullProduce = JSONValue.object([
                "kind": .string("audio"), "rtpParameters": Self.audio, "producerTransportId": .string("x"),
            ])
            #expect(try await refused("connectTransport", connect("x")) == "not currently in a room")
            #expect(try await refused("produce", fullProduce) == "not is a room")
            _ = try await create(client)
            _ = try await join(client, "A")
            #expect(try await client.ask("connectTransport", connect("x")) == .string("success"))
            let (transport, _) = try await produce(client)
            #expect(try await client.ask("connectTransport", connect(transport)) == .string("success"))
            #expect(try await refused("connectTransport", connect(transport)).contains("already called"))
            #expect(try await refused("produce", fullProduce).contains("not found"))
            #expect(try await refused("produce").contains("producerTransportId"))
            #expect(try await refused("consume").contains("consumerTransportId"))
            for event in ["pauseConsumer", "resumeConsumer"] {
                #expect(try await refused(event).contains("consumer_id"))
                #expect(try await refused(event, .object(["consumer_id": .string("x")])).contains("not found"))
            }
            for event in ["pauseProducer", "resumeProducer"] {
                #expect(try await client.ask(event, .object(["producer_id": .string("x")])) == .string("success"))
                #expect(try await client.ask(event) == .string("success"))
            }
            #expect(try await refused("restartIce", .object(["transport_id": .string("x")])).contains("not found"))
            #expect(
                try await client.ask("restartIce", .object(["transport_id": .string(transport)]))["iceLite"]
                    == .bool(true))
        }
    }

    @Test func `without an acknowledgement the answer is an event`() async throws {
        try await TestServer.with { server in
            let client = try await SocketIOClient.open(port: server.port)
            let room = JSONValue.object(["room_id": .string("9"), "name": .string("N")])
            try await client.tell("join", room)
            #expect(try await client.event("join callback")["error"] == .string("room does not exist"))
            try await client.tell("createRoom", room)
            #expect(try await client.event("createRoom callback") == .string("9"))
            try await client.tell("join", room)
            #expect(try await client.event("join callback")["id"] == .string("9"))
            for event in ["createWebRtcTransport", "createSendTransport", "createRecvTransport"] {
                try await client.tell(event)
                #expect(try await client.event(event + " callback")["iceCandidates"] != nil)
            }
            try await client.tell("getRouterRtpCapabilities")
            #expect(try await client.event("getRouterRtpCapabilities callback")["codecs"] != nil)
        }
    }

    @Test func `a client whose room is closed is sent away`() async throws {
        try await TestServer.with { server in
            let client = try await SocketIOClient.openSocket(port: server.port)
            _ = try await create(client)
            _ = try await join(client, "A")
            await server.rooms.room(RoomID("123456789"))?.close()
            try await client.disconnected()
        }
    }
}
