import FoundationEssentials
import HTTPTypes
import Logging
import RoundhouseMedia
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// Whose requests drive a broadcaster: its id is in everybody's list of peers.
@Suite struct BroadcasterOwnerTests {
    private static let key = "0123456789abcdef0123456789abcdef"
    private static let codec = #"{"mimeType": "audio/opus", "payloadType": 101, "clockRate": 48000, "channels": 2}"#

    /// Every request that names a broadcaster, with what its token has to permit.
    private static let requests: [(method: HTTPRequest.Method, path: String, body: String, act: PeerPermissions?)] = [
        (.post, "/join", "", nil),
        (.post, "/transports", #"{"type": "plain"}"#, nil),
        (.post, "/transports", #"{"type": "webrtc"}"#, nil),
        (.post, "/transports/T/connect", #"{"ip": "192.0.2.1", "port": 5000, "rtcpPort": 5001}"#, nil),
        (.post, "/transports/T/plain-connect", #"{"ip": "192.0.2.1", "port": 5000, "rtcpPort": 5001}"#, nil),
        (
            .post, "/transports/T/producers",
            #"{"kind": "audio", "rtpParameters": {"codecs": [\#(codec)], "encodings": [{"ssrc": 1111}]}}"#, .publish
        ),
        (
            .post, "/producers",
            #"{"transportId": "T", "kind": "audio", "rtpParameters": {"codecs": [\#(codec)], "encodings": [{"ssrc": 2}]}}"#,
            .publish
        ),
        (.post, "/transports/T/consume?producerId=P", #"{"rtpCapabilities": {"codecs": []}}"#, .subscribe),
        (
            .post, "/consumers", #"{"transportId": "T", "producerId": "P", "rtpCapabilities": {"codecs": []}}"#,
            .subscribe
        ),
        (.post, "/consumers/C/resume", "", .subscribe),
        (.get, "/peerProducersInfos", "", nil),
        (.delete, "", "", nil),
    ]

    private struct Server {
        let endpoints: BroadcasterEndpoints
        let rooms: RoomRegistry
        let counters = GatewayCounters()

        init(key: String? = nil) throws {
            rooms = try RoomRegistry(media: .recording { _, _ in true })
            let access = AccessControl(counters: counters)
            var configuration = AccessConfiguration()
            if let key { configuration.keys = [try AccessKey(key)] }
            access.apply(configuration, limits: GatewayLimits())
            endpoints = BroadcasterEndpoints(
                rooms: rooms, access: access, counters: counters, logger: TestServer.silentLogger)
        }

        func ask(
            _ path: String, _ body: String = "", _ method: HTTPRequest.Method = .post, token: String? = nil,
            session: String? = nil, from address: String = "192.0.2.1"
        ) async throws -> (status: Int, fields: [String: JSONValue]) {
            var head = HTTPRequest(
                method: method, scheme: "http", authority: "localhost", path: "/rooms/town/broadcasters" + path)
            if let token { head.headerFields[.authorization] = "Bearer \(token)" }
            if let session { head.headerFields[.signalingSession] = session }
            let request = IncomingRequest(
                head: head, body: Array(body.utf8), remoteAddress: ClientAddress(parsing: address))
            let target = try #require(request.target)
            let response = try #require(await endpoints.respond(to: request, target))
            guard case .object(let fields)? = try? JSONValue(parsing: response.body) else {
                return (response.head.status.code, [:])
            }
            return (response.head.status.code, fields)
        }

        /// - Returns: the secret of the broadcaster `film`, and a transport of its.
        func made(token: String? = nil) async throws -> (session: String, transport: String) {
            let body = #"{"id": "film", "displayName": "Film", "device": {"name": "ffmpeg"}}"#
            let made = try await ask("", body, token: token)
            #expect(made.status == 200)
            guard case .object(let session)? = made.fields["session"], case .string(let secret)? = session["token"]
            else { throw NeverHappened() }
            let opened = try await ask("/film/transports", #"{"type": "plain", "comedia": false}"#, token: token)
            guard case .string(let transport)? = opened.fields["id"] else { throw NeverHappened() }
            return (secret, transport)
        }

        var producers: Int {
            get async { await rooms.room(RoomID("town"))?.publications().count ?? 0 }
        }
    }

    private static func token(_ grants: AccessGrants) throws -> String {
        try AccessToken.make(
            grants, key: try AccessKey(key), lifetime: 3600, now: Date().timeIntervalSince1970)
    }

    /// Sends every request there is and says which were refused for who sent them.
    private static func refused(
        _ server: Server, transport: String, token: String? = nil, session: String? = nil,
        from address: String = "192.0.2.1"
    ) async throws -> [String] {
        var refused: [String] = []
        for request in requests {
            let path = request.path.replacing("/T/", with: "/\(transport)/")
            let answer = try await server.ask(
                "/film" + path, request.body.replacing(#""T""#, with: "\"\(transport)\""), request.method,
                token: token, session: session, from: address)
            if [401, 403].contains(answer.status) { refused.append("\(request.method) \(request.path)") }
        }
        return refused
    }

    private static var names: [String] { requests.map { "\($0.method) \($0.path)" } }
    private static func names(of act: PeerPermissions) -> [String] {
        requests.filter { $0.act == act }.map { "\($0.method) \($0.path)" }
    }

    @Test func `with a key, no other token for the room drives it, whatever it grants`() async throws {
        let others = [
            AccessGrants(room: "town", permissions: .subscribe, peer: "bob"),
            AccessGrants(room: "town", permissions: .subscribe), AccessGrants(room: "town", permissions: .publish),
            AccessGrants(room: "town", permissions: .all, peer: "bob"), AccessGrants(room: "*"),
            AccessGrants(room: "town", isAdmin: true),
        ]
        for grants in others {
            let server = try Server(key: Self.key)
            let owners = try Self.token(AccessGrants(room: "town", permissions: .publish, name: "Film"))
            let (_, transport) = try await server.made(token: owners)
            let refused = try await Self.refused(server, transport: transport, token: try Self.token(grants))
            #expect(refused == Self.names, "\(grants)")
            #expect(await server.producers == 0)
            #expect(server.counters.snapshot().refusedTokens == [.wrongPeer: UInt64(Self.requests.count)])
            // It is still its maker's.
            #expect(try await server.ask("/film", "", .delete, token: owners).status == 200)
        }
    }

    @Test func `with a key, the address alone proves nothing, and no token is unauthorized`() async throws {
        let server = try Server(key: Self.key)
        let owners = try Self.token(AccessGrants(room: "town", name: "Film"))
        let (session, transport) = try await server.made(token: owners)
        #expect(try await Self.refused(server, transport: transport) == Self.names)
        #expect(try await Self.refused(server, transport: transport, session: session) == Self.names)
        let elsewhere = try Self.token(AccessGrants(room: "village", peer: "film"))
        #expect(try await Self.refused(server, transport: transport, token: elsewhere, session: session) == Self.names)
    }

    @Test func `its maker's token, a token that names it, and its secret with any token of the room drive it`()
        async throws
    {
        let server = try Server(key: Self.key)
        let owners = try Self.token(AccessGrants(room: "town", name: "Film"))
        let named = try Self.token(AccessGrants(room: "town", peer: "film"))
        let newer = try Self.token(AccessGrants(room: "town"))
        for ways in [(owners, false), (named, false), (newer, true), (owners, true)] {
            let (session, transport) = try await server.made(token: owners)
            // From wherever: a broadcaster may have more than one address.
            let refused = try await Self.refused(
                server, transport: transport, token: ways.0, session: ways.1 ? session : nil, from: "198.51.100.7")
            #expect(refused == [])
        }
        // A token for another peer is not made good by the secret.
        let (session, transport) = try await server.made(token: owners)
        let foreign = try Self.token(AccessGrants(room: "town", peer: "bob"))
        #expect(try await Self.refused(server, transport: transport, token: foreign, session: session) == Self.names)
        let wrong = try await Self.refused(server, transport: transport, token: newer, session: session + "x")
        #expect(wrong == Self.names)
    }

    @Test func `the lesser of both grants counts`() async throws {
        for (made, asked) in [(PeerPermissions.publish, PeerPermissions.all), (.all, .publish), (.publish, .publish)] {
            let server = try Server(key: Self.key)
            let maker = try Self.token(AccessGrants(room: "town", permissions: made, peer: "film"))
            let (_, transport) = try await server.made(token: maker)
            let other = try Self.token(AccessGrants(room: "town", permissions: asked, peer: "film"))
            let refused = try await Self.refused(server, transport: transport, token: other)
            #expect(Set(refused).isSubset(of: Self.names(of: .subscribe)), "\(refused)")
            if asked == .publish { #expect(refused == Self.names(of: .subscribe)) }
        }
        for (made, asked) in [(PeerPermissions.subscribe, PeerPermissions.all), (.all, .subscribe)] {
            let server = try Server(key: Self.key)
            let maker = try Self.token(AccessGrants(room: "town", permissions: made, peer: "film"))
            let (_, transport) = try await server.made(token: maker)
            let other = try Self.token(AccessGrants(room: "town", permissions: asked, peer: "film"))
            #expect(
                try await Self.refused(server, transport: transport, token: other) == Self.names(of: .publish))
        }
    }

    @Test func `without a key, the ids alone do from the address that made it, and from others with its secret`()
        async throws
    {
        let server = try Server()
        let (session, transport) = try await server.made()
        #expect(try await Self.refused(server, transport: transport, from: "198.51.100.7") == Self.names)
        let guessed = try await Self.refused(
            server, transport: transport, session: "A" + session.dropFirst(), from: "198.51.100.7")
        #expect(session.hasPrefix("A") || guessed == Self.names)
        #expect(await server.producers == 0)
        // As mediasoup-demo's scripts ask: no field, no secret.
        #expect(try await Self.refused(server, transport: transport) == [])
        let (second, next) = try await server.made()
        #expect(
            try await Self.refused(server, transport: next, session: second, from: "198.51.100.7") == [])
    }
}
