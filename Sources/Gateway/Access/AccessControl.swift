import FoundationEssentials
import HTTPTypes
import Logging
import RoundhouseMedia
import RoundhouseRooms
import Synchronization

/// Decides who may do what, for every dialect and every version of HTTP: tokens, origins, limits, and the end of the server.
///
/// Safe from any thread; what it decides by may be exchanged at any time.
final class AccessControl: Sendable {
    private struct State {
        var verifier = TokenVerifier.none
        /// What tokens are made with, if the server has a secret.
        var signingKey: AccessKey?
        var tokenRules = TokenRules()
        var origins = OriginPolicy()
        var adminToken: Secret?
        var metricsToken: Secret?
        var plainHTTP = PlainHTTP.allow
        var sendsHSTS = false
        /// Connections that are being sent the reason for their refusal.
        var refusals = 0
        var isDraining = false
    }

    private let state: Mutex<State>
    /// What every client takes.
    let accountant: Accountant
    /// Whom it refused, and what operators did.
    let audit: AuditLog
    /// The TURN server, if there is one.
    let turn: TURNService?
    private let counters: GatewayCounters

    /// Lets everybody in until `apply` says otherwise.
    init(
        limits: GatewayLimits = GatewayLimits(), adminToken: Secret? = nil, counters: GatewayCounters,
        logger: Logger = Logger(label: "roundhouse.gateway"), turn: TURNService? = nil
    ) {
        self.turn = turn
        self.counters = counters
        audit = AuditLog(logger)
        accountant = Accountant(limits: limits, counters: counters, audit: audit, logger: logger)
        state = Mutex(State(adminToken: adminToken))
    }

    /// Exchanges keys, origins, limits and the admin token. Peers that are in a room stay there.
    func apply(_ configuration: GatewayConfiguration) {
        apply(configuration.access, limits: configuration.limits, adminToken: configuration.adminToken)
        turn?.apply(configuration.turn)
        state.withLock { state in
            state.metricsToken = configuration.metricsToken
            state.plainHTTP = configuration.tls == nil ? .allow : configuration.plainHTTP
            // A certificate for trying out would lock its own visitors out.
            state.sendsHSTS = state.plainHTTP != .allow && configuration.tls != .selfSigned
        }
    }

    /// The same without what TLS is about.
    func apply(_ configuration: AccessConfiguration, limits: GatewayLimits, adminToken: Secret? = nil) {
        let verifier = TokenVerifier(configuration.keys, rules: configuration.tokenRules)
        state.withLock { state in
            state.verifier = verifier
            state.signingKey = configuration.keys.first(where: \.canSign)
            state.tokenRules = configuration.tokenRules
            state.origins = OriginPolicy(configuration.allowedOrigins)
            state.adminToken = adminToken
        }
        accountant.apply(configuration, limits: limits)
    }

    /// `nil` if there is none; an empty one is none.
    var adminToken: Secret? { state.withLock { $0.adminToken?.isEmpty == false ? $0.adminToken : nil } }

    /// What opens `/metrics`, beside what opens all; `nil` if there is none.
    var metricsToken: Secret? { state.withLock { $0.metricsToken?.isEmpty == false ? $0.metricsToken : nil } }

    /// For what begins now.
    var limits: GatewayLimits { accountant.limits }

    // MARK: Tokens

    /// Whether there is a key, so that nobody enters without a token.
    var requiresToken: Bool { !state.withLock { $0.verifier.isEmpty } }

    /// Finds a request's token: `Authorization: Bearer …` (RFC 6750 §2.1), the query's `token`, or the WebSocket subprotocol
    /// `bearer.…`, which a browser's page can give.
    static func token(of request: HTTPRequest, _ target: RequestTarget?) -> Secret? {
        if let field = request.headerFields[.authorization] {
            let parts = field.split(separator: " ", maxSplits: 1)
            if parts.count == 2, parts[0].lowercased() == "bearer" { return Secret(String(parts[1].trimmed)) }
        }
        if let token = target?["token"], !token.isEmpty { return Secret(token) }
        return ShownSecret.subprotocol("bearer", request.headerFields).map { Secret($0) }
    }

    /// What a token grants; everything but admin if the server has no key.
    /// - Throws: `RoomError` with code `unauthorized`, or `rateLimited` where too many came that are none.
    func grants(of token: Secret?, from origin: ClientOrigin) throws(RoomError) -> AccessGrants {
        let verifier = state.withLock { $0.verifier }
        guard !verifier.isEmpty else { return .open }
        guard let token else { throw refused(.missing) }
        try accountant.mayShowToken(origin)
        do throws(TokenProblem) {
            return try verifier.verify(token, now: Date().timeIntervalSince1970)
        } catch {
            accountant.tokenFailed(origin)
            throw refused(error)
        }
    }

    /// What the bearer of a token may do in a room, which it is about to enter.
    /// - Parameter peer: the id it wants, if it may choose one.
    /// - Throws: `RoomError` with code `unauthorized`, `rateLimited` or `forbidden`, or `shuttingDown` once the server drains.
    func admit(
        _ token: Secret?, from origin: ClientOrigin, to room: RoomID, as peer: PeerID? = nil
    ) throws(RoomError) -> AccessGrants {
        try admit(try grants(of: token, from: origin), to: room, as: peer)
    }

    /// The same for grants that were read before.
    func admit(_ grants: AccessGrants, to room: RoomID, as peer: PeerID? = nil) throws(RoomError) -> AccessGrants {
        guard grants.admits(to: room) else { throw refused(.wrongRoom) }
        if let peer, let only = grants.peer, only != peer.rawValue { throw refused(.wrongPeer) }
        guard !isDraining else { throw RoomError(.shuttingDown, "the server is stopping: try again, or another one") }
        return grants
    }

    /// By what a client that was admitted has its peer's name.
    func claim(of token: Secret?, _ grants: AccessGrants, from address: ClientAddress?) -> PeerClaim {
        guard requiresToken, let token else { return .address(address?.counted.description ?? "") }
        return .token(token, namesPeer: grants.peer != nil)
    }

    private func refused(_ problem: TokenProblem) -> RoomError {
        counters.tokenRefused(problem)
        return problem.roomError
    }

    /// The error for a client whose token is valid but for another peer.
    func refused(_ problem: TokenProblem, _ message: String) -> RoomError {
        counters.tokenRefused(problem)
        return RoomError(problem.roomError.code, message)
    }

    /// Whether a request may be carried out that needs some valid token; with a key only.
    /// - Returns: the refusal, or `nil`.
    func refusal(of request: IncomingRequest) -> OutgoingResponse? {
        do throws(RoomError) {
            _ = try grants(of: Self.token(of: request.head, request.target), from: request.origin)
            return nil
        } catch {
            return .refused(error)
        }
    }

    /// Whether a request may read and change the state of the server: with a token that grants admin; or, if the server has
    /// no key, from a browser or program of this machine.
    /// - Parameter room: the room whose moderators may, too.
    /// - Returns: the refusal (401, 403, 429), or `nil`.
    func adminRefusal(of request: IncomingRequest, moderating room: RoomID? = nil) -> OutgoingResponse? {
        guard requiresToken else {
            guard Self.isOwnMachine(request) else {
                return .failure(
                    .forbidden, code: "forbidden",
                    "without --auth-key this is answered only on the server's own machine, at its loopback address")
            }
            return nil
        }
        do throws(RoomError) {
            let grants = try grants(of: Self.token(of: request.head, request.target), from: request.origin)
            let mayModerate = room.map { grants.moderates($0) } ?? false
            guard grants.isAdmin || mayModerate else { throw refused(.notAdmin) }
            return nil
        } catch {
            return .refused(error)
        }
    }

    /// Signs a token with the first of the server's secrets.
    /// - Returns: the token; `nil` if the server has public keys only, or no key.
    func invitation(_ grants: AccessGrants, seconds: Int, id: String) -> String? {
        let (key, rules) = state.withLock { ($0.signingKey, $0.tokenRules) }
        guard let key else { return nil }
        return try? AccessToken.make(
            grants, key: key, lifetime: seconds, now: Date().timeIntervalSince1970, rules: rules, id: id)
    }

    /// Whether the client is on this machine and speaks for nobody else: no proxy between, no other host's page (by its Origin,
    /// or by a name that was made to point here).
    static func isOwnMachine(_ request: IncomingRequest) -> Bool {
        let fields = request.head.headerFields
        guard request.remoteAddress?.isLoopback == true, fields[.forwardedFor] == nil, fields[.forwarded] == nil else {
            return false
        }
        guard let authority = request.head.authority else { return false }
        let host =
            authority.hasPrefix("[") ? authority.prefix { $0 != "]" }.dropFirst() : authority.prefix { $0 != ":" }
        guard host.lowercased() == "localhost" || ClientAddress(parsing: String(host))?.isLoopback == true else {
            return false
        }
        return fields[.origin].map { OriginPolicy.isSame($0.lowercased(), request.head) } ?? true
    }

    // MARK: TLS

    /// What a request gets that came without TLS and should have come with it; `nil` if it may.
    func plainAnswer(_ request: IncomingRequest) -> OutgoingResponse? {
        let policy = state.withLock { $0.plainHTTP }
        guard !request.isEncrypted, policy != .allow, !Self.isOwnMachine(request) else { return nil }
        let isReading = request.head.method == .get || request.head.method == .head
        // The name is the client's own: with a character that no name has, it is none.
        guard policy == .redirect, isReading, let host = request.head.authority, !host.isEmpty,
            host.utf8.allSatisfy(Self.isHostByte), let path = request.head.path, path.hasPrefix("/")
        else {
            return .failure(.forbidden, code: "https-required", "this server is used over https:// (--http)")
        }
        return OutgoingResponse(
            status: .permanentRedirect,
            headerFields: [.location: "https://\(host)\(path)", .cacheControl: "no-store"])
    }

    /// What tells a browser to come over TLS from now on (RFC 6797); `nil` if that is not meant.
    var strictTransportSecurity: String? { state.withLock { $0.sendsHSTS } ? "max-age=15552000" : nil }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
            UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"):
            true
        default: false
        }
    }

    // MARK: Origins

    /// Whether the page that a request comes from may use this server; counts those that may not.
    func allowsOrigin(of request: HTTPRequest, isCounted: Bool = true) -> Bool {
        let isAllowed = state.withLock { $0.origins }.allows(request)
        if !isAllowed, isCounted { counters.limited(.origin) }
        return isAllowed
    }

    func sharedOrigin(with request: HTTPRequest) -> String? { state.withLock { $0.origins }.shared(with: request) }

    // MARK: Limits

    /// Whether one more connection may be sent the reason for its refusal instead of just being closed; `refusalEnded` follows.
    func refusalBegan() -> Bool {
        state.withLock { state in
            guard state.refusals < Self.maximumRefusals else { return false }
            state.refusals += 1
            return true
        }
    }

    func refusalEnded() { state.withLock { $0.refusals -= 1 } }

    /// Connections beyond a limit that may be sent a reason at a time.
    static let maximumRefusals = 32

    // MARK: The end

    /// Whether no new peer is taken any more.
    var isDraining: Bool { state.withLock { $0.isDraining } }

    func drain() { state.withLock { $0.isDraining = true } }
}

extension OutgoingResponse {
    /// A room's error as a response, with the fields that go with its status (RFC 6750 §3, RFC 9110 §10.2.3).
    static func refused(_ error: RoomError) -> OutgoingResponse {
        var response = OutgoingResponse.failure(
            .init(code: error.code.httpStatus), code: error.code.name, error.message)
        switch error.code {
        case .unauthorized: response.head.headerFields[.wwwAuthenticate] = "Bearer realm=\"roundhouse\""
        case .overloaded, .timedOut, .rateLimited: response.head.headerFields[.retryAfter] = "1"
        case .shuttingDown: response.head.headerFields[.retryAfter] = "5"
        default: break
        }
        return response
    }

    static func tooManyConnections(_ limit: GatewayLimit) -> OutgoingResponse {
        var response =
            limit == .connections
            ? failure(
                .serviceUnavailable, code: "overloaded", "the server has as many connections as it takes: try again")
            : failure(.tooManyRequests, code: "rate-limited", "this address has too many connections: close some")
        response.head.headerFields[.retryAfter] = "5"
        return response
    }

    /// For a request whose bytes, or whose answer's, its address has no room for.
    static var outOfMemory: OutgoingResponse {
        var response = refused(.outOfMemory)
        response.head.headerFields[.retryAfter] = "1"
        return response
    }

    static func tooManyRequests(retryAfter seconds: Int) -> OutgoingResponse {
        var response = failure(
            .tooManyRequests, code: "rate-limited", "this address asks too often: try again in \(seconds) s")
        response.head.headerFields[.retryAfter] = String(seconds)
        return response
    }
}

extension HTTPField.Name {
    // A token by RFC 9110 §5.6.2, so that this does not fail.
    static let forwarded = HTTPField.Name("Forwarded") ?? .from
}
