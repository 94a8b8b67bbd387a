import HTTPTypes
import NIOPosix
import RoundhouseMedia
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

/// What requests without TLS get from a server that has a certificate.
@Suite struct PlainHTTPTests {
    private func router(_ policy: PlainHTTP, tls: TLSSettings?) throws -> HTTPRouter {
        let counters = GatewayCounters()
        let access = AccessControl(counters: counters, logger: TestServer.silentLogger)
        var configuration = GatewayConfiguration(tls: tls)
        configuration.plainHTTP = policy
        access.apply(configuration)
        return .testing(
            rooms: try RoomRegistry(media: .recording { _, _ in true }), access: access, counters: counters,
            group: MultiThreadedEventLoopGroup.singleton)
    }

    private static let files = TLSSettings.files(certificate: "a", privateKey: "b")

    private func ask(
        _ router: HTTPRouter, _ path: String, _ method: HTTPRequest.Method = .get, host: String = "meet.example:3016",
        from address: String = "192.0.2.1", isEncrypted: Bool = false
    ) async -> (status: Int, location: String?, hsts: String?) {
        let head = HTTPRequest(method: method, scheme: "http", authority: host, path: path)
        let response = await router.respond(
            to: IncomingRequest(
                head: head, remoteAddress: ClientAddress(parsing: address), isEncrypted: isEncrypted))
        let fields = response.head.headerFields
        return (response.head.status.code, fields[.location], fields[.strictTransportSecurity])
    }

    @Test func `reading goes on over HTTPS, and all else is refused`() async throws {
        let router = try router(.redirect, tls: Self.files)
        for path in ["/", "/?room=a&token=b%20c", "/metrics", "/nothing"] {
            let answer = await ask(router, path)
            #expect(answer.status == 308 && answer.location == "https://meet.example:3016" + path, "\(path)")
            #expect(answer.hsts == nil, "nobody believes it without TLS")
        }
        for (path, method) in [("/createValidRoomId", .post), ("/rooms/r/broadcasters", .post), ("/whip/r/x", .delete)]
            as [(String, HTTPRequest.Method)]
        {
            #expect(await ask(router, path, method).status == 403, "\(path)")
        }
        // A name that is none goes nowhere.
        for host in ["evil.example/x", "a b", "a@b", "a\"b", ""] {
            let answer = await ask(router, "/", host: host)
            #expect(answer.status == 403 && answer.location == nil, "\(host)")
        }
    }

    @Test func `probes and this machine's own programs are answered, proxies are not`() async throws {
        for policy in [PlainHTTP.redirect, .refuse] {
            let router = try router(policy, tls: Self.files)
            for path in ["/healthz", "/readyz"] { #expect(await ask(router, path).status == 200) }
            #expect(await ask(router, "/metrics", host: "localhost:3016", from: "127.0.0.1").status == 200)
            #expect(await ask(router, "/metrics", from: "127.0.0.1").status != 200)
        }
    }

    @Test func `where it is refused, it is so for every method`() async throws {
        let router = try router(.refuse, tls: Self.files)
        for method in [.get, .head, .post, .options] as [HTTPRequest.Method] {
            #expect(await ask(router, "/", method).status == 403)
        }
        #expect(await ask(router, "/", isEncrypted: true).status == 200)
    }

    @Test func `browsers are asked to stay with TLS, but not for a certificate that is for trying out`() async throws {
        for (policy, tls, isAsked) in [
            (PlainHTTP.redirect, Self.files, true), (.refuse, Self.files, true), (.allow, Self.files, false),
            (.redirect, .selfSigned, false),
        ] {
            let answer = await ask(try router(policy, tls: tls), "/", isEncrypted: true)
            #expect(answer.status == 200 && answer.hsts == (isAsked ? "max-age=15552000" : nil), "\(policy) \(tls)")
        }
    }

    @Test func `without a certificate, and where it is allowed, all are answered`() async throws {
        #expect(await ask(try router(.refuse, tls: nil), "/").status == 200)
        #expect(await ask(try router(.allow, tls: Self.files), "/").status == 200)
    }

    @Test func `a WebSocket is not opened without TLS either`() throws {
        let head = HTTPRequest(
            method: .get, scheme: "http", authority: "meet.example", path: "/?roomId=r&peerId=p",
            headerFields: [
                .connection: "Upgrade", .upgrade: "websocket", .secWebSocketVersion: "13",
                .secWebSocketKey: "dGhlIHNhbXBsZSBub25jZQ==", .secWebSocketProtocol: "protoo",
            ])
        let router = try router(.redirect, tls: Self.files)
        let stranger = ClientAddress(parsing: "192.0.2.1")
        #expect(router.handshake(head, from: stranger) == nil)
        #expect(router.handshake(head, from: stranger, isEncrypted: true) != nil)
    }
}
