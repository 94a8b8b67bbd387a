import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// Socket.IO clients whose connections break, over real sockets against real rooms.
@Suite(.timeLimit(.minutes(15))) struct SocketIOResumptionTests {
    private static let room = JSONValue.object(["room_id": .string("r"), "name": .string("N")])

    private func joined(_ server: TestServer, _ client: ResumingSocketIOClient) async throws {
        try await client.emit("createRoom", Self.room)
        let id = try await client.emit("join", Self.room)
        try await client.receive { client.answers[id] != nil }
        #expect(client.answers[id]?.first?["socketid"] == .string(client.id))
    }

    private func transports(_ server: TestServer) async -> Int {
        await server.rooms.room(RoomID("r"))?.snapshot(withStatistics: false).peers.reduce(0) {
            $0 + $1.transports.count
        } ?? 0
    }

    @Test(arguments: 0...11)
    func `a connection that is cut at any packet is picked up, with nothing lost and nothing twice`(
        cutAt: Int
    ) async throws {
        try await TestServer.with { server in
            let ann = try await ResumingSocketIOClient(server)
            let bob = try await SocketIOClient.openSocket(port: server.port)
            var step = 0
            func mayCut() async throws {
                if step == cutAt {
                    await ann.cut()
                    try await ann.resume()
                }
                step += 1
            }
            try await mayCut()
            try await ann.emit("createRoom", Self.room)
            try await mayCut()
            let join = try await ann.emit("join", Self.room)
            try await mayCut()
            try await ann.receive { ann.answers[join] != nil }
            try await mayCut()
            // Sent ahead, so that a cut finds several on their way; the one without an answer too.
            for _ in 0..<3 {
                try await ann.emit("createWebRtcTransport")
                try await mayCut()
            }
            try await ann.send(SocketIOPacket.event("createSendTransport", [.object([:])]))
            try await mayCut()
            let last = try await ann.emit("createWebRtcTransport")
            try await mayCut()
            // What the room has to say meanwhile.
            for _ in 0..<2 {
                _ = try await bob.ask("join", Self.room)
                _ = try await bob.ask("exitRoom")
            }
            try await mayCut()
            try await ann.receive { ann.answers[last] != nil }
            try await mayCut()
            try await ann.receive { ann.events.filter { $0.text.contains("is exits") }.count == 2 }
            try await mayCut()
            #expect(step == 12)
            let barrier = try await ann.emit("resume")
            try await ann.receive { ann.answers[barrier] != nil }

            #expect(ann.answers.keys.sorted() == Array(1...7))
            #expect(ann.answers.values.allSatisfy { $0.count == 1 })
            #expect(await transports(server) == 5)
            let names = ann.events.map { event -> String in
                guard case .array(let values) = event, case .string(let name)? = values.first else { return "" }
                return name
            }
            #expect(names.filter { $0 == "createSendTransport callback" }.count == 1)
            #expect(names.filter { $0 == "othersInRoom" }.count == 1)
            let comings = names.filter { $0 == "joined" || $0 == "a user is exits the room" }
            #expect(comings == ["joined", "a user is exits the room", "joined", "a user is exits the room"])
            #expect(server.gateway.counters.snapshot().resumptions[.resumed] == 1)
            #expect(server.gateway.counters.snapshot().openSessions == 2)
        }
    }

    @Test func `a client that does not come back in time has left`() async throws {
        var limits = GatewayLimits.patient
        limits.resumptionWindow = .milliseconds(50)
        try await TestServer.with(limits: limits) { server in
            let bob = try await SocketIOClient.openSocket(port: server.port)
            _ = try await bob.ask("createRoom", Self.room)
            _ = try await bob.ask("join", Self.room)
            let socket = try await WebSocketClient.open(
                port: server.port, target: "/socket.io/?EIO=4&transport=websocket", subprotocol: nil)
            try await socket.send("40{\"resumption\":\"yes\"}")
            try await socket.send("420" + "[\"join\",\(Self.room.text)]")
            _ = try await bob.event("joined")
            await socket.raw.close()
            _ = try await bob.event("a user is disconnected")
            try await eventually { server.gateway.counters.snapshot().openSessions == 1 }
            #expect(server.gateway.counters.snapshot().resumptions == [.lost: 1, .expired: 1])
        }
    }

    @Test func `a page that is closed has left at once, and so has a client that says so`() async throws {
        try await TestServer.with { server in
            let bob = try await SocketIOClient.openSocket(port: server.port)
            _ = try await bob.ask("createRoom", Self.room)
            _ = try await bob.ask("join", Self.room)
            for leave: (WebSocketClient) async throws -> Void in [
                { try await $0.close(1001) }, { try await $0.close(1000) }, { try await $0.send("41") },
            ] {
                let ann = try await ResumingSocketIOClient(server)
                try await joined(server, ann)
                try await leave(ann.socket)
                _ = try await bob.event("a user is disconnected")
            }
            try await eventually { server.gateway.counters.snapshot().openSessions == 1 }
            #expect(server.gateway.counters.snapshot().resumptions == [:])
        }
    }

    @Test func `a name that opens nothing begins a new session, and disturbs nobody`() async throws {
        try await TestServer.with { server in
            let ann = try await ResumingSocketIOClient(server)
            try await joined(server, ann)
            let eve = try await ResumingSocketIOClient(server)
            for pid in ["", "nonsense", String(ann.token.dropLast()), ann.token + "x"] {
                try await eve.ask(pid: pid)
                let greeting = try await eve.greetingAfterRefusal()
                #expect(greeting["sid"] != .string(ann.id) && greeting["pid"] != .string(ann.token))
                #expect(greeting["received"] == .integer(0))
            }
            #expect(server.gateway.counters.snapshot().resumptions == [.refused: 4])
            let barrier = try await ann.emit("resume")
            try await ann.receive { ann.answers[barrier] != nil }
        }
    }

    @Test func `the older of two connections is ended, and what it still brings is not carried out`() async throws {
        try await TestServer.with { server in
            let ann = try await ResumingSocketIOClient(server)
            try await joined(server, ann)
            let older = ann.socket
            try await ann.resume()
            #expect(try await older.closeFrame().closeCode == 1000)
            let barrier = try await ann.emit("createWebRtcTransport")
            try await ann.receive { ann.answers[barrier] != nil }
            #expect(await transports(server) == 1)
            #expect(server.gateway.counters.snapshot().resumptions == [.resumed: 1])
        }
    }

    @Test func `a peer removed while its connection was broken is notified when it comes back`() async throws {
        try await TestServer.with { server in
            let ann = try await ResumingSocketIOClient(server)
            try await joined(server, ann)
            await ann.cut()
            try await eventually { server.gateway.counters.snapshot().resumptions[.lost] == 1 }
            await server.rooms.room(RoomID("r"))?.close(.roomClosed)
            try await ann.resume()
            // Behind what it had not read yet.
            while try await ann.raw() != "1" {}
            try await eventually { server.gateway.counters.snapshot().openSessions == 0 }
        }
    }

    @Test func `a client that does not ask for it gets its events as ever, and ends with its connection`() async throws
    {
        try await TestServer.with { server in
            let bob = try await SocketIOClient.openSocket(port: server.port)
            _ = try await bob.ask("createRoom", Self.room)
            _ = try await bob.ask("join", Self.room)
            let plain = try await WebSocketClient.open(
                port: server.port, target: "/socket.io/?EIO=4&transport=websocket", subprotocol: nil)
            _ = try await plain.nextFrame()
            try await plain.send("40")
            let greeting = try SocketIOPacket(parsing: String(try await plain.nextFrame().text.dropFirst()))
            guard case .object(let fields)? = greeting.data else { throw NeverHappened() }
            #expect(Array(fields.keys) == ["sid"])
            try await plain.send("420" + "[\"join\",\(Self.room.text)]")
            #expect(try await plain.nextFrame().text.hasPrefix("430["))
            let others = try SocketIOPacket(parsing: String(try await plain.nextFrame().text.dropFirst()))
            guard case .array(let values)? = others.data else { throw NeverHappened() }
            #expect(values.count == 2 && values[0] == .string("othersInRoom"))
            await plain.raw.close()
            _ = try await bob.event("a user is disconnected")
            #expect(server.gateway.counters.snapshot().resumptions == [:])
        }
    }
}
