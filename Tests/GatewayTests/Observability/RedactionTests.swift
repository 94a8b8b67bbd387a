import HTTPTypes
import Logging
import NIOEmbedded
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway
@testable import RoundhouseMedia

/// What holds a secret shows it in none of the ways in which Swift shows values.
@Suite struct RedactionTests {
    private static let needle = "needle0123456789needle0123456789"

    private static func everyText(of value: some Any) -> String {
        var texts = ["\(value)", String(reflecting: value), String(describing: [value]), "\(Optional(value) as Any)"]
        var dumped = ""
        dump(value, to: &dumped)
        texts.append(dumped)
        dumped = ""
        dump(["key": value], to: &dumped)
        texts.append(dumped)
        let lines = LogLines()
        lines.logger.trace("\(value)", metadata: ["value": "\(value)", "list": ["\(value)"]])
        return (texts + lines.all).joined(separator: "\n")
    }

    private func expectHidden(_ value: some Any, sourceLocation: SourceLocation = #_sourceLocation) {
        let text = Self.everyText(of: value)
        #expect(!text.contains("needle"), "\(type(of: value)): \(text)", sourceLocation: sourceLocation)
        // Neither as the bytes of an array ("ne").
        #expect(!text.contains("110, 101"), "\(type(of: value)): \(text)", sourceLocation: sourceLocation)
    }

    private func target() throws -> RequestTarget {
        try #require(
            RequestTarget("/?token=\(Self.needle)&password=\(Self.needle)&resume=\(Self.needle)&session=\(Self.needle)")
        )
    }

    @Test func `a plain text is found by this test`() {
        #expect(Self.everyText(of: Self.needle).contains("needle"))
        #expect(Self.everyText(of: Array(Self.needle.utf8)).contains("110, 101"))
    }

    @Test func `settings and keys`() throws {
        let key = try AccessKey("name:" + Self.needle)
        var configuration = GatewayConfiguration()
        configuration.adminToken = Secret(Self.needle)
        configuration.access.keys = [key]
        expectHidden(Secret(Self.needle))
        expectHidden(key)
        expectHidden(configuration)
        expectHidden(TokenVerifier([key]))
        expectHidden(key.material)
        expectHidden(try #require(SignatureVerifier(key.material)))
        let token = try AccessToken.make(AccessGrants(room: Self.needle), key: key, lifetime: nil, now: 0)
        expectHidden(try #require(CompactJWS(Array(token.utf8))))
        let access = AccessControl(counters: GatewayCounters())
        access.apply(configuration.access, limits: configuration.limits, adminToken: configuration.adminToken)
        expectHidden(access)
        expectHidden(AdminAccess(access: access))
    }

    @Test func `requests, handshakes and what they ask for`() throws {
        let target = try target()
        expectHidden(target)
        expectHidden(try RoomEntry(room: "r", peer: "p", target, [:]))
        var head = HTTPRequest(
            method: .get, scheme: "http", authority: "h",
            path: "/?roomId=r&peerId=p&token=\(Self.needle)&resume=\(Self.needle)")
        head.headerFields = [
            .authorization: "Bearer \(Self.needle)", .signalingSession: Self.needle, .upgrade: "websocket",
            .connection: "Upgrade", .secWebSocketVersion: "13", .secWebSocketKey: "dGhlIHNhbXBsZSBub25jZQ==",
            .secWebSocketProtocol: "protoo, bearer.\(Self.needle)",
        ]
        guard case .accept(var handshake) = SignalingHandshake.validate(head) else {
            Issue.record("no handshake")
            return
        }
        handshake.token = AccessControl.token(of: head, target)
        #expect(handshake.token?.revealed == Self.needle)
        expectHidden(handshake)
        expectHidden(SignalingHandshake(destination: .socketIO(session: Secret(Self.needle)), version: .http2))
        expectHidden(IncomingRequest(head: head, body: Array(Self.needle.utf8)))
        var response = OutgoingResponse(json: .object(["token": .string(Self.needle)]))
        response.head.headerFields[.location] = "/whip/r/\(Self.needle)"
        expectHidden(response)
        expectHidden(EngineRequest(transport: .polling, session: Secret(Self.needle)))
        let password = JSONValue.object(["room_id": .string("r"), "password": .string(Self.needle)])
        for name in ["createRoom", "join"] { expectHidden(try #require(try SocketIOEvent(name, password))) }
    }

    @Test func `sessions`() {
        struct Needles: RandomNumberGenerator {
            // Each number picks the letter "n" of the token's alphabet.
            mutating func next() -> UInt64 { UInt64(39) << 58 }
        }
        var generator = Needles()
        let token = ResumptionToken(using: &generator)
        let shown = Self.everyText(of: token) + Self.everyText(of: OutgoingSignal.resumable(token, window: .zero))
        #expect(!shown.contains(token.text))
        expectHidden(SDPSessionTable.Key(endpoint: "whip", room: "r", id: Self.needle))
        let settings = EngineSession.Settings()
        expectHidden(
            EngineConnection(
                name: Secret(Self.needle), token: Secret(Self.needle), from: .unknown, lease: HoldingLease {},
                loan: .testing,
                settings: settings,
                intake: SignalingIntake(limits: GatewayLimits(), counters: GatewayCounters()), socket: nil,
                eventLoop: EmbeddedEventLoop(), ended: { _ in }))
    }

    @Test func `keys and passwords of media`() throws {
        let bytes = Array(Self.needle.utf8)
        let key = SRTPMasterKey(key: Array(bytes.prefix(16)), salt: Array(bytes.prefix(14)))
        expectHidden(key)
        expectHidden(SRTPKeyingMaterial(profile: .aeadAES128GCM, local: key, remote: key))
        expectHidden(PlainProtection(profile: .aeadAES128GCM, local: key))
        expectHidden(SRTPParameters(cryptoSuite: .aeadAES128GCM, key: key))
        expectHidden(PlainRemote(key: key))
        let credentials = ICECredentials(usernameFragment: "fragment", password: Self.needle)
        expectHidden(credentials)
        expectHidden(TransportSettings(iceCredentials: credentials))
    }
}
