import HTTPTypes
import RoundhouseMedia
import RoundhouseRooms
import Testing

@testable import RoundhouseGateway

@Suite struct TokenTests {
    private let now = 1_800_000_000.0

    private func key(_ text: String) throws -> AccessKey { try AccessKey(text) }

    private func problem(_ verifier: TokenVerifier, _ token: String, now: Double? = nil) -> TokenProblem? {
        do throws(TokenProblem) {
            _ = try verifier.verify(Secret(token), now: now ?? self.now)
            return nil
        } catch {
            return error
        }
    }

    private static let secret = "0123456789abcdef0123456789abcdef"

    @Test func `what is granted is what was signed`() throws {
        let key = try key(Self.secret)
        let grants = AccessGrants(room: "r", permissions: [.publish], isAdmin: true, name: "Ada", peer: "p")
        let token = try AccessToken.make(grants, key: key, lifetime: 60, now: now)
        let verifier = TokenVerifier([key])
        #expect(try verifier.verify(Secret(token), now: now) == grants)
        #expect(problem(verifier, token, now: now + 59) == nil)
        #expect(problem(verifier, token, now: now + 60) == .expired)
    }

    @Test func `a token cut short or changed anywhere grants nothing`() throws {
        let key = try key("k:" + Self.secret)
        let token = try AccessToken.make(
            AccessGrants(room: "r"), key: key, lifetime: nil, now: now)
        let verifier = TokenVerifier([key])
        #expect(problem(verifier, token) == nil)
        for count in 0..<token.utf8.count { #expect(problem(verifier, String(token.prefix(count))) != nil) }
        let bytes = Array(token.utf8)
        for index in bytes.indices {
            var changed = bytes
            changed[index] = changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(problem(verifier, String(decoding: changed, as: UTF8.self)) != nil, "\(index)")
        }
    }

    @Test func `of several keys the named one decides, and without a name any`() throws {
        let (old, new) = (try key("old:" + Self.secret), try key("new:" + Self.secret.uppercased()))
        let nameless = try key(Self.secret.uppercased())
        let both = TokenVerifier([new, old])
        for key in [old, new, nameless] {
            let token = try AccessToken.make(AccessGrants(room: "r"), key: key, lifetime: nil, now: 0)
            #expect(problem(both, token) == nil)
            #expect(
                problem(TokenVerifier([old]), token) == (key == old ? nil : key == new ? .unknownKey : .signature)
            )
        }
        #expect(problem(.none, "x") != nil)
    }

    @Test func `a key that is too short or badly named is none, and the reason does not show it`() {
        for text in ["", "short", "k:short", ":" + Self.secret, "a b:" + Self.secret] {
            #expect(throws: AccessKey.Problem.self) { try AccessKey(text) }
        }
        #expect(
            throws: AccessKey.Problem(
                message: "line 3: a key needs at least 32 bytes: make one with 'openssl rand -hex 32'")
        ) {
            try AccessKey.keys(inFile: "# a comment\n\(Self.secret)\nshort\n")
        }
        #expect(
            (try? AccessKey.keys(inFile: "\r\n \(Self.secret) \r\n\n# x\na:\(Self.secret)"))?.map(\.id) == [nil, "a"])
    }

    @Test func `a token is found in each of its places, the field first`() throws {
        func find(_ path: String, _ fields: HTTPFields = [:]) -> Secret? {
            let request = HTTPRequest(method: .get, scheme: "http", authority: "h", path: path, headerFields: fields)
            return AccessControl.token(of: request, RequestTarget(path))
        }
        #expect(find("/") == nil)
        #expect(find("/?token=a") == "a")
        #expect(find("/?token=") == nil)
        #expect(find("/?token=a", [.authorization: "Bearer  b "]) == "b")
        #expect(find("/?token=a", [.authorization: "Basic b"]) == "a")
        #expect(find("/", [.secWebSocketProtocol: "protoo, bearer.c"]) == "c")
    }

    @Test func `without a key this machine's users administer, with one an admin's token is needed`() throws {
        let access = AccessControl(counters: GatewayCounters())
        func status(_ authority: String, from address: String, _ fields: HTTPFields = [:]) -> Int? {
            let head = HTTPRequest(method: .get, scheme: "http", authority: authority, path: "/x", headerFields: fields)
            let request = IncomingRequest(head: head, remoteAddress: ClientAddress(parsing: address))
            return access.adminRefusal(of: request)?.head.status.code
        }
        for (host, address) in [("localhost:3016", "127.0.0.1"), ("127.0.0.1", "127.0.0.9"), ("[::1]:3016", "::1")] {
            #expect(status(host, from: address) == nil)
            #expect(status(host, from: address, [.origin: "http://\(host)"]) == nil)
            #expect(status(host, from: address, [.origin: "http://evil"]) == 403)
            #expect(status(host, from: address, [.forwardedFor: "127.0.0.1"]) == 403)
            #expect(status(host, from: address, [.forwarded: "for=127.0.0.1"]) == 403)
        }
        #expect(status("localhost", from: "192.0.2.1") == 403)
        // A name that somebody else made to point here.
        #expect(status("rebound.example", from: "127.0.0.1") == 403)

        let key = try key(Self.secret)
        var configuration = AccessConfiguration()
        configuration.keys = [key]
        access.apply(configuration, limits: GatewayLimits())
        #expect(status("localhost", from: "127.0.0.1") == 401)
        for (isAdmin, expected) in [(true, nil), (false, 403)] {
            let token = try AccessToken.make(
                AccessGrants(room: nil, isAdmin: isAdmin), key: key, lifetime: nil, now: 0)
            #expect(status("h", from: "192.0.2.1", [.authorization: "Bearer \(token)"]) == expected)
        }
    }
}
