import HTTPTypes
import RoundhouseRooms

/// Finds who answers a request; the same for every version of HTTP.
struct HTTPRouter: Sendable {
    let assets: StaticAssets
    let state: StateAPI
    let metrics: MetricsExposition
    let roomEntry: RoomEntryAPI
    let socketIO: SocketIOServer
    let whip: WHIPEndpoints
    let peers: PeerEndpoints
    let broadcasters: BroadcasterEndpoints
    let access: AccessControl
    let open = OpenRequests()

    func respond(to request: IncomingRequest) async -> OutgoingResponse {
        let response = await open.counting { await answer(to: request) }
        return response ?? .refused(RoomError(.shuttingDown, "the server is stopping: try again, or another one"))
    }

    private func answer(to request: IncomingRequest) async -> OutgoingResponse {
        var request = request
        request.forwarding = access.forwarding(request.remoteAddress, request.head.headerFields)
        request.remoteAddress = access.client(request.remoteAddress, request.head.headerFields)
        guard let target = request.target else { return .malformedTarget }
        if let probe = probe(request, target.path) { return probe }
        if let seconds = access.requestReceived(from: request.remoteAddress, request.forwarding) {
            return .tooManyRequests(retryAfter: seconds)
        }
        if let seconds = access.bodyReceived(bytes: request.body.count, from: request.remoteAddress) {
            return .tooManyRequests(retryAfter: seconds)
        }
        if var refusal = handshakeRefusal(request.head) {
            // After an upgrade that came to nothing, HTTP/1.1's upgrade handler lets no second request through.
            refusal.head.headerFields[.connection] = "close"
            return refusal
        }
        // Reading is not guarded, since without CORS a page cannot see the answer; but Engine.IO opens sessions by it.
        let isGuarded = !Self.isSafe(request.head.method) || EngineRequest.isPath(target.path)
        if isGuarded, !access.allowsOrigin(of: request.head) {
            return Self.foreignOrigin
        }
        if EngineRequest.isPath(target.path) { return await socketIO.respond(to: request, target) }
        if let response = await roomEntry.response(to: request, target.path) { return response }
        if let response = await whip.respond(to: request, target) { return response }
        if let response = await state.respond(to: request, target) { return response }
        if let response = await peers.respond(to: request, target) { return response }
        if let response = await broadcasters.respond(to: request, target) { return response }
        guard let route = route(target.path) else {
            return .failure(.notFound, code: "not-found", "there is nothing at this path")
        }
        guard request.head.method == .get || request.head.method == .head else {
            return .methodNotAllowed("GET, HEAD", "this path can only be read")
        }
        if access.requiresToken, let refusal = stateRefusal(of: request, target, route) { return refusal }
        switch route {
        case .metrics: return metrics.response()
        case .rooms: return state.rooms()
        case .room(let name): return await state.room(name)
        case .asset(let path):
            return assets.response(to: request, path: path)
                ?? .failure(.notFound, code: "not-found", "there is nothing at this path")
        }
    }

    /// The signaling handshake that a request asks for, if it may have it.
    /// - Parameter remote: the connection's other end.
    func handshake(_ request: HTTPRequest, from remote: ClientAddress?) -> SignalingHandshake? {
        guard case .accept(var handshake) = SignalingHandshake.validate(request) else { return nil }
        // Counted when the request is answered.
        guard access.allowsOrigin(of: request, isCounted: false) else { return nil }
        handshake.token = AccessControl.token(of: request, RequestTarget(request.path ?? "/"))
        handshake.remoteAddress = access.client(remote, request.headerFields)
        handshake.forwarding = access.forwarding(remote, request.headerFields)
        return handshake
    }

    /// With a key, names of rooms and what is in them are for those whose token grants admin. Whoever may enter a room may know
    /// what it can receive.
    private func stateRefusal(
        of request: IncomingRequest, _ target: RequestTarget, _ route: Route
    ) -> OutgoingResponse? {
        do throws(RoomError) {
            switch route {
            case .metrics, .asset: return nil
            case .rooms: return access.adminRefusal(of: request)
            case .room(let name):
                let grants = try access.grants(of: AccessControl.token(of: request.head, target))
                if grants.isAdmin { return nil }
                _ = try access.admit(grants, to: RoomID(name))
                return state.capabilities()
            }
        } catch {
            return .refused(error)
        }
    }

    /// Why a request that asks for a WebSocket does not become one; `nil` for one that does not ask.
    private func handshakeRefusal(_ request: HTTPRequest) -> OutgoingResponse? {
        switch SignalingHandshake.validate(request) {
        case .notAHandshake: return nil
        case .refuse(let response): return response
        case .accept:
            guard access.allowsOrigin(of: request) else { return Self.foreignOrigin }
            // The listener upgrades good handshakes before they get here, but only a connection's first request.
            return .failure(
                .badRequest, code: "bad-handshake",
                "a WebSocket has to be the first request of its connection, with one Sec-WebSocket-Key and -Version")
        }
    }

    /// What machines ask again and again, and must not be refused: whether the process lives, and whether it takes new peers.
    private func probe(_ request: IncomingRequest, _ path: [String]) -> OutgoingResponse? {
        guard path == ["healthz"] || path == ["readyz"] else { return nil }
        guard request.head.method == .get || request.head.method == .head else {
            return .methodNotAllowed("GET, HEAD", "this path can only be read")
        }
        if path == ["readyz"], access.isDraining {
            return OutgoingResponse(
                status: .serviceUnavailable, contentType: "text/plain; charset=utf-8", body: Array("draining\n".utf8))
        }
        return OutgoingResponse(contentType: "text/plain; charset=utf-8", body: Array("ok\n".utf8))
    }

    private static func isSafe(_ method: HTTPRequest.Method) -> Bool {
        method == .get || method == .head || method == .options
    }

    private static let foreignOrigin = OutgoingResponse.failure(
        .forbidden, code: "origin-not-allowed", "pages of this origin may not use this server (--allowed-origin)")

    private enum Route {
        case metrics, rooms
        case room(String)
        case asset([String])
    }

    private func route(_ path: [String]) -> Route? {
        switch (path.first, path.count) {
        case ("metrics", 1): .metrics
        case ("console", 1): .asset(["console", "index.html"])
        case ("rooms", 1): .rooms
        case ("rooms", 2): .room(path[1])
        default: assets.contains(path) ? .asset(path) : nil
        }
    }
}
