import RoundhouseMedia
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// Clients whose connections break, over real sockets against real rooms.
@Suite(.timeLimit(.minutes(15))) struct ResumptionTests {
    private static let names = ["Ann", "Anna", "Anne", "Annette"]

    /// What the others in the room have heard of Ann.
    private func heard(_ bob: WebSocketClient, until name: String) async throws -> [String] {
        var heard: [String] = []
        while true {
            let message = bob.backlog.isEmpty ? try await bob.nextMessage() : bob.backlog.removeFirst()
            guard case .string(let method)? = message["method"], method != "mediasoup-version" else { continue }
            if case .string(let text)? = message["data"]?["displayName"] {
                heard.append(text)
                if text == name { return heard }
            } else {
                heard.append(method)
            }
        }
    }

    @Test(arguments: 0...12)
    func `a connection that is cut at any message is picked up, and nobody in the room notices`(cutAt: Int) async throws
    {
        try await TestServer.with { server in
            let bob = try await server.join("bob")
            _ = try await bob.join("Bob")
            let ann = try await ResumingClient(server, "ann")
            var step = 0
            func mayCut() async throws {
                if step == cutAt {
                    await ann.cut()
                    try await ann.resume()
                }
                step += 1
            }
            try await ann.request(1, "getRouterRtpCapabilities")
            try await mayCut()
            try await ann.receive { !ann.responses(to: 1).isEmpty }
            try await mayCut()
            try await ann.request(2, "join", .object(["displayName": .string("Ann"), "device": .object([:])]))
            try await mayCut()
            // Sent ahead, so that a cut finds several on their way.
            for (index, name) in Self.names.dropFirst().enumerated() {
                try await ann.request(Int64(3 + index), "changeDisplayName", .object(["displayName": .string(name)]))
                try await mayCut()
            }
            try await ann.request(6, "fly")
            try await mayCut()
            for id: Int64 in 2...6 {
                try await ann.receive { !ann.responses(to: id).isEmpty }
                try await mayCut()
            }
            #expect(step == 12)
            if cutAt == 12 { try await mayCut() }
            #expect(try await heard(bob, until: "Annette") == Self.names)
            for id: Int64 in 1...6 {
                #expect(ann.responses(to: id).map { $0["ok"] } == [.bool(id != 6)], "request \(id)")
            }
            #expect(server.gateway.counters.snapshot().resumptions[.resumed] == 1)
            #expect(server.gateway.counters.snapshot().openSessions == 2)
            try await ann.close()
            #expect(try await bob.notification("peerClosed")["data"]?["peerId"] == .string("ann"))
        }
    }

    @Test func `a request that comes again under its id is answered again, and not carried out`() async throws {
        try await TestServer.with { server in
            let bob = try await server.join("bob")
            _ = try await bob.join("Bob")
            let ann = try await WebSocketClient.open(
                port: server.port, target: "/?roomId=lobby&peerId=ann&resumption=yes")
            let join = JSONValue.object([
                "request": .bool(true), "id": .integer(7), "method": .string("join"),
                "data": .object(["displayName": .string("Ann")]),
            ])
            for _ in 0..<2 {
                try await ann.send(join.text)
                #expect(try await ann.response(to: 7)["ok"] == .bool(true))
            }
            #expect(
                try await ann.request("changeDisplayName", .object(["displayName": .string("Anna")]))["ok"]
                    == .bool(true))
            #expect(try await heard(bob, until: "Anna") == ["Ann", "Anna"])
        }
    }

    @Test func `a client that does not come back in time has left`() async throws {
        var limits = GatewayLimits.patient
        limits.resumptionWindow = .milliseconds(50)
        try await TestServer.with(limits: limits) { server in
            let bob = try await server.join("bob")
            _ = try await bob.join("Bob")
            let ann = try await ResumingClient(server, "ann")
            try await ann.request(1, "join", .object(["displayName": .string("Ann")]))
            try await ann.receive { !ann.responses(to: 1).isEmpty }
            await ann.cut()
            #expect(try await bob.notification("peerClosed")["data"]?["peerId"] == .string("ann"))
            try await eventually { server.gateway.counters.snapshot().openSessions == 1 }
            #expect(server.gateway.counters.snapshot().resumptions == [.lost: 1, .expired: 1])
            let late = try await WebSocketClient.open(
                port: server.port, target: "/?roomId=lobby&peerId=ann&resume=\(ann.token)&ack=1")
            #expect(try await late.closeFrame().closeCode == 4001)
        }
    }

    @Test func `a wrong token opens nothing and disturbs nobody`() async throws {
        try await TestServer.with { server in
            let ann = try await ResumingClient(server, "ann")
            for peer in ["ann", "bob"] {
                let stranger = try await WebSocketClient.open(
                    port: server.port,
                    target: "/?roomId=lobby&peerId=\(peer)&resume=\(String(repeating: "x", count: 43))")
                #expect(try await stranger.closeFrame().closeCode == 4001)
            }
            try await ann.request(1, "getRouterRtpCapabilities")
            try await ann.receive { !ann.responses(to: 1).isEmpty }
            #expect(server.gateway.counters.snapshot().resumptions == [.refused: 2])
        }
    }

    @Test func `a new connection of the same peer takes the place of one that is away`() async throws {
        try await TestServer.with { server in
            let bob = try await server.join("bob")
            _ = try await bob.join("Bob")
            let ann = try await ResumingClient(server, "ann")
            try await ann.request(1, "join", .object(["displayName": .string("Ann")]))
            try await ann.receive { !ann.responses(to: 1).isEmpty }
            await ann.cut()
            let newer = try await ResumingClient(server, "ann")
            #expect(try await bob.notification("peerClosed")["data"]?["peerId"] == .string("ann"))
            let older = try await WebSocketClient.open(
                port: server.port, target: "/?roomId=lobby&peerId=ann&resume=\(ann.token)&ack=1")
            #expect(try await older.closeFrame().closeCode == 4001)
            try await newer.request(1, "getRouterRtpCapabilities")
            try await newer.receive { !newer.responses(to: 1).isEmpty }
        }
    }

    @Test func `the older of two connections of one session is notified and ended`() async throws {
        try await TestServer.with { server in
            let ann = try await ResumingClient(server, "ann")
            try await ann.receive()
            let older = try await WebSocketClient.open(
                port: server.port, target: "/?roomId=lobby&peerId=ann&resume=\(ann.token)&ack=1")
            // The first connection still stands, and is ended by this one; which in its turn is ended by the next.
            #expect(try await ann.closeCode() == 4000)
            try await ann.resume()
            #expect(try await older.closeFrame().closeCode == 4000)
            try await ann.request(1, "getRouterRtpCapabilities")
            try await ann.receive { !ann.responses(to: 1).isEmpty }
            #expect(server.rooms.totals().counts.peers == 1)
        }
    }

    @Test func `a peer removed while its connection was broken is notified when it comes back`() async throws {
        try await TestServer.with { server in
            let ann = try await ResumingClient(server, "ann")
            try await ann.request(1, "join", .object(["displayName": .string("Ann")]))
            try await ann.receive { !ann.responses(to: 1).isEmpty }
            await ann.cut()
            try await eventually { server.gateway.counters.snapshot().resumptions[.lost] == 1 }
            await server.rooms.room(RoomID("lobby"))?.close(.roomClosed)
            try await ann.resume()
            #expect(try await ann.closeCode() == 4000)
            try await eventually { server.gateway.counters.snapshot().openSessions == 0 }
        }
    }

    @Test func `a client of 2026 comes back too, its notifications are carried out once`() async throws {
        try await TestServer.with { server in
            let bob = try await server.join("bob")
            _ = try await bob.join("Bob")
            let ann = try await ResumingClient(server, "ann", query: "&protocol=2026")
            try await ann.request(1, "join", .object(["displayName": .string("Ann")]))
            for name in Self.names.dropFirst() {
                try await ann.send([
                    "notification": .bool(true), "method": .string("changeDisplayName"),
                    "data": .object(["displayName": .string(name)]),
                ])
                await ann.cut()
                try await ann.resume()
            }
            #expect(try await heard(bob, until: "Annette") == Self.names)
            try await ann.request(2, "getRouterRtpCapabilities")
            try await ann.receive { !ann.responses(to: 2).isEmpty }
            #expect(ann.responses(to: 2).first?["data"]?["routerRtpCapabilities"] != nil)
            #expect(ann.messages.first?["method"] == .string("mediasoupVersion"))
        }
    }
}
