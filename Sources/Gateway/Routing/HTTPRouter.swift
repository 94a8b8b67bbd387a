import HTTPTypes

/// Finds who answers a request; the same for every version of HTTP.
struct HTTPRouter: Sendable {
    let assets: StaticAssets
    let state: StateAPI
    let metrics: MetricsExposition
    let roomEntry: RoomEntryAPI
    let socketIO: SocketIOServer
    let whip: WHIPEndpoints

    func respond(to request: IncomingRequest) async -> OutgoingResponse {
        switch SignalingHandshake.judge(request.head) {
        case .notAHandshake: break
        case .refuse(let response): return response
        case .accept:
            // The listener upgrades good handshakes before they get here, but only a connection's first request.
            return .failure(
                .badRequest, code: "bad-handshake",
                "a WebSocket has to be the first request of its connection, with one Sec-WebSocket-Key and -Version")
        }
        guard let target = request.target else { return .malformedTarget }
        if EngineRequest.isPath(target.path) { return await socketIO.respond(to: request, target) }
        if let response = roomEntry.response(to: request, target.path) { return response }
        if let response = await whip.respond(to: request, target) { return response }
        if let response = await state.respond(to: request, target) { return response }
        guard let route = route(target.path) else {
            return .failure(.notFound, code: "not-found", "there is nothing at this path")
        }
        guard request.head.method == .get || request.head.method == .head else {
            return .methodNotAllowed("GET, HEAD", "this path can only be read")
        }
        switch route {
        case .health: return OutgoingResponse(contentType: "text/plain; charset=utf-8", body: Array("ok\n".utf8))
        case .metrics: return metrics.response()
        case .rooms: return state.rooms()
        case .room(let name): return await state.room(name)
        case .asset(let path):
            return assets.response(to: request, path: path)
                ?? .failure(.notFound, code: "not-found", "there is nothing at this path")
        }
    }

    /// The signaling handshake that a request asks for, if it may have it.
    func handshake(_ request: HTTPRequest) -> SignalingHandshake? {
        guard case .accept(let handshake) = SignalingHandshake.judge(request) else { return nil }
        return handshake
    }

    private enum Route {
        case health, metrics, rooms
        case room(String)
        case asset([String])
    }

    private func route(_ path: [String]) -> Route? {
        switch (path.first, path.count) {
        case ("healthz", 1): .health
        case ("metrics", 1): .metrics
        case ("console", 1): .asset(["console", "index.html"])
        case ("rooms", 1): .rooms
        case ("rooms", 2): .room(path[1])
        default: assets.contains(path) ? .asset(path) : nil
        }
    }
}
