import HTTPTypes
import Logging
import NIOCore
import NIOPosix
import RoundhouseMedia
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// What one address takes by every door there is, and that nobody else notices.
@Suite(.timeLimit(.minutes(15))) struct AccountantTests {
    private struct Server {
        let router: HTTPRouter
        let rooms: RoomRegistry
        let access: AccessControl
        let counters = GatewayCounters()

        init(_ limits: GatewayLimits, key: String? = nil, adminToken: Secret? = nil) throws {
            rooms = try RoomRegistry(media: .recording { _, _ in true })
            access = AccessControl(limits: limits, counters: counters, logger: TestServer.silentLogger)
            var configuration = AccessConfiguration()
            if let key { configuration.keys = [try AccessKey(key)] }
            access.apply(configuration, limits: limits, adminToken: adminToken)
            router = .testing(
                rooms: rooms, access: access, counters: counters, group: MultiThreadedEventLoopGroup.singleton)
        }

        func ask(
            _ method: HTTPRequest.Method, _ path: String, _ body: String = "", type: String = "application/json",
            token: String? = nil, from address: String = "192.0.2.1", _ more: HTTPFields = [:]
        ) async -> OutgoingResponse {
            var fields = more
            fields[.contentType] = type
            if let token { fields[.authorization] = "Bearer \(token)" }
            let head = HTTPRequest(
                method: method, scheme: "http", authority: "h", path: path, headerFields: fields)
            let response = await router.respond(
                to: IncomingRequest(
                    head: head, body: Array(body.utf8), remoteAddress: ClientAddress(parsing: address)))
            response.events?.finish()
            response.events?.connectionClosed(.finished)
            return response
        }

        /// Asks an endpoint that leaves something behind for one more of it.
        func open(
            _ endpoint: Endpoint, _ number: Int, password: String? = nil, from address: String = "192.0.2.1"
        ) async throws -> OutgoingResponse {
            let query = password.map { "&password=\($0)" } ?? ""
            switch endpoint {
            case .whip:
                let offer = String(decoding: try OfferFile.aiortcPublish.bytes, as: UTF8.self)
                return await ask(
                    .post, "/whip/town?peerId=w\(number)\(query)", offer, type: "application/sdp", from: address)
            case .whep:
                let offer = String(decoding: try OfferFile.aiortcWatch.bytes, as: UTF8.self)
                return await ask(.post, "/whep/town?x=\(number)\(query)", offer, type: "application/sdp", from: address)
            case .peerRequests:
                return await ask(
                    .post, "/rooms/town/peers/p\(number)/requests?x=1\(query)",
                    #"{"method":"join","data":{"displayName":"P"}}"#, from: address)
            case .broadcasters:
                return await ask(
                    .post, "/rooms/town/broadcasters?x=1\(query)",
                    #"{"id":"b\#(number)","displayName":"B","device":{}}"#, from: address)
            case .socketIO: return await ask(.get, "/socket.io/?EIO=4&transport=polling", from: address)
            case .roomName: return await ask(.post, "/createValidRoomId", #"{"password":"p"}"#, from: address)
            default:
                Issue.record("no way to open \(endpoint)")
                return .malformedTarget
            }
        }
    }

    private static func limits(_ change: (inout GatewayLimits) -> Void = { _ in }) -> GatewayLimits {
        var limits = GatewayLimits.patient
        limits.requestsPerSecond = 1_000_000
        limits.messagesPerSecond = 1_000_000
        change(&limits)
        return limits
    }

    private static func code(_ response: OutgoingResponse) -> String? {
        guard case .object(let fields)? = try? JSONValue(parsing: response.body),
            case .object(let error)? = fields["error"], case .string(let code)? = error["code"]
        else { return nil }
        return code
    }

    // MARK: Requests and bytes

    @Test func `every endpoint is charged before anything of a request is read, but for probes`() async throws {
        let limits = Self.limits { $0.requestsPerSecond = 1 }
        let server = try Server(limits)
        for _ in 0..<20 { _ = await server.ask(.get, "/") }
        var asked = 0
        for endpoint in Endpoint.allCases {
            for method in endpoint.methods {
                let path = (endpoint.pattern ?? "/").replacing("{", with: "").replacing("}", with: "")
                let status = await server.ask(method, path, "{").head.status.code
                #expect(status == (endpoint.isProbe ? 200 : 429), "\(method) \(path)")
                // Other clients are served.
                asked += 1
                let other = await server.ask(method, path, "{", from: "198.51.100.\(asked)").head.status.code
                #expect(other != 429, "\(method) \(path)")
            }
        }
    }

    @Test func `an IPv6 network of 64 bits is one client`() async throws {
        let server = try Server(Self.limits { $0.requestsPerSecond = 1 })
        var refused = 0
        for number in 0..<30 {
            let status = await server.ask(.get, "/", from: "2001:db8:1:2::\(number)").head.status.code
            if status == 429 { refused += 1 }
        }
        #expect(refused >= 15)
        #expect(await server.ask(.get, "/", from: "2001:db8:1:3::1").head.status.code == 200)
    }

    @Test func `bodies are charged by their bytes at every endpoint that takes one`() async throws {
        // 32 KiB a second, all clients of an address together, and ten times as much at once.
        let server = try Server(
            Self.limits {
                $0.messagesPerSecond = 1
                $0.messageBytes = 1024
            })
        let body = String(repeating: " ", count: 65_536)
        // Into debt for half an hour, however slow the machine is.
        for _ in 0..<5 { _ = await server.ask(.post, "/whip/town", body) }
        _ = await server.ask(.post, "/whip/town", String(repeating: " ", count: 60_000_000))
        for (number, endpoint) in Endpoint.allCases.enumerated() {
            for method in endpoint.methods where method == .post || method == .patch {
                let path = (endpoint.pattern ?? "/").replacing("{", with: "").replacing("}", with: "")
                #expect(await server.ask(method, path, body).head.status.code == 429, "\(method) \(path)")
                let other = "\(method == .post ? "198.51.100" : "203.0.113").\(number)"
                #expect(await server.ask(method, path, body, from: other).head.status.code != 429, "\(method) \(path)")
            }
        }
    }

    @Test func `the bodies of this machine's own programs wait instead of being refused`() throws {
        let access = AccessControl(counters: GatewayCounters())
        let own = ClientOrigin(address: ClientAddress(parsing: "127.0.0.1"))
        var taken = 0
        while access.accountant.bodyReceived(bytes: 65_536, from: own) == .now, taken < 10_000 { taken += 1 }
        #expect((1200...1400).contains(taken), "\(taken)")
        guard case .after(let delay) = access.accountant.bodyReceived(bytes: 65_536, from: own) else {
            throw NeverHappened()
        }
        #expect(delay > .zero && delay < .seconds(1))
        let proxied = ClientOrigin(address: ClientAddress(parsing: "127.0.0.1"), forwarding: .byUnknownProxy)
        #expect(access.accountant.bodyReceived(bytes: 65_536, from: proxied) != .now)
    }

    // MARK: What is kept

    @Test(arguments: Endpoint.allCases.filter { $0.holding != nil })
    func `what an address keeps is bounded by every door, and what ends makes room`(_ endpoint: Endpoint) async throws {
        let limits = Self.limits {
            $0.connectionsPerAddress = 3
            $0.roomNamesPerAddress = 3
        }
        let server = try Server(limits)
        _ = try await server.open(.whip, 99, from: "203.0.113.1")
        var statuses: [Int] = []
        for number in 0..<5 { statuses.append(try await server.open(endpoint, number).head.status.code) }
        #expect(statuses.prefix(3).allSatisfy { (200...201).contains($0) }, "\(statuses)")
        #expect(statuses.suffix(2) == [429, 429], "\(statuses)")
        #expect(try await server.open(endpoint, 7, from: "198.51.100.7").head.status.code < 300)
        let limit = try #require(endpoint.holding).limit
        #expect(server.counters.snapshot().limited[limit] == 2)
        // What ends with its room; sessions of signaling wait for their clients to come and hear of it.
        if [.whip, .whep, .broadcasters].contains(endpoint) {
            await server.rooms.room(RoomID("town"))?.close(.roomClosed)
            try await eventually { server.rooms.list().isEmpty }
            _ = try await server.open(.whip, 99, from: "203.0.113.1")
            try await eventually { try await server.open(endpoint, 8).head.status.code < 300 }
        }
    }

    @Test func `sessions of all kinds are bounded in sum`() async throws {
        let server = try Server(Self.limits { $0.connectionsPerAddress = 4 })
        for endpoint in [Endpoint.whip, .peerRequests, .broadcasters, .socketIO] {
            #expect(try await server.open(endpoint, 1).head.status.code < 300)
        }
        for endpoint in [Endpoint.whip, .whep, .peerRequests, .broadcasters, .socketIO] {
            #expect(try await server.open(endpoint, 2).head.status.code == 429, "\(endpoint)")
        }
    }

    @Test func `what is refused for another reason keeps nothing`() async throws {
        let server = try Server(Self.limits { $0.connectionsPerAddress = 3 })
        for _ in 0..<10 {
            // Nobody publishes yet, the password is not a room's, and the name is taken.
            #expect(try await server.open(.whep, 1).head.status.code == 404)
            _ = await server.ask(.post, "/whip/town", "v=0", type: "application/sdp")
        }
        #expect(try await server.open(.broadcasters, 1).head.status.code == 200)
        for _ in 0..<10 { #expect(try await server.open(.broadcasters, 1).head.status.code == 500) }
        #expect(try await server.open(.peerRequests, 1).head.status.code == 200)
        #expect(try await server.open(.peerRequests, 2).head.status.code == 200)
    }

    // MARK: Guesses

    @Test(arguments: [Endpoint.whip, .whep, .peerRequests, .broadcasters, .passwordCheck])
    func `a password can be guessed at twenty times, by whatever door`(_ endpoint: Endpoint) async throws {
        let server = try Server(Self.limits())
        #expect(try server.rooms.createRoom(RoomID("town"), password: "right"))
        _ = try await server.open(.whip, 99, password: "right", from: "203.0.113.1")
        func guess(_ password: String, from address: String = "192.0.2.1") async throws -> OutgoingResponse {
            guard endpoint != .passwordCheck else {
                return await server.ask(
                    .post, "/checkPassword", #"{"roomId":"town","password":"\#(password)"}"#, from: address)
            }
            return try await server.open(endpoint, 1, password: password, from: address)
        }
        var statuses: [Int] = []
        let start = ContinuousClock.now
        for number in 0..<100 { statuses.append(try await guess("wrong\(number)").head.status.code) }
        let compared = statuses.count { $0 != 429 }
        // Two a second come back meanwhile.
        let seconds = Int((ContinuousClock.now - start).components.seconds) + 1
        #expect(compared >= 20 && compared <= 20 + 2 * seconds, "\(compared) in \(seconds) s")
        #expect(server.counters.snapshot().limited[.failures] == UInt64(100 - compared))
        // The right one is not compared either, and somebody else's is.
        let right = try await guess("right", from: "198.51.100.1")
        #expect(right.head.status.code < 300, "\(String(decoding: right.body, as: UTF8.self))")
        #expect(endpoint != .passwordCheck || right.body == Array(#"{"valid":true}"#.utf8))
    }

    @Test func `passwords that are right may be shown as often as one likes`() async throws {
        let server = try Server(Self.limits())
        #expect(try server.rooms.createRoom(RoomID("town"), password: "right"))
        for number in 0..<60 {
            #expect(try await server.open(.peerRequests, number, password: "right").head.status.code == 200)
        }
    }

    @Test func `tokens that are none are looked at a hundred times, and the admin token no more often`() async throws {
        for key in ["0123456789abcdef0123456789abcdef", nil] {
            let server = try Server(Self.limits(), key: key, adminToken: "the admin token")
            var refused = 0
            let start = ContinuousClock.now
            for number in 0..<500 {
                let response = await server.ask(.get, "/api/v1/rooms", token: "guess\(number)")
                #expect([401, 429].contains(response.head.status.code))
                if Self.code(response) == "rate-limited" { refused += 1 }
            }
            // Ten a second come back meanwhile.
            let seconds = Int((ContinuousClock.now - start).components.seconds) + 1
            #expect(refused <= 400 && refused >= 400 - 10 * seconds, "\(refused) in \(seconds) s")
            let right = await server.ask(.get, "/api/v1/rooms", token: "the admin token", from: "198.51.100.1")
            #expect(right.head.status.code == 200)
        }
    }
}
