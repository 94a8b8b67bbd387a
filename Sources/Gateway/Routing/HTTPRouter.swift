import HTTPTypes
import Logging
import NIOCore
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
    /// Protocols and ports of the TURN server, if there is one.
    var turnWays: @Sendable () -> String? = { nil }
    let open = OpenRequests()

    func respond(to request: IncomingRequest) async -> OutgoingResponse {
        let begun = NIODeadline.now()
        var response = await open.counting { await answer(to: request) }
        metrics.counters.requestTimes.observe(Double((NIODeadline.now() - begun).nanoseconds) / 1e9)
        if request.isEncrypted, let policy = access.strictTransportSecurity {
            response?.head.headerFields[.strictTransportSecurity] = policy
        }
        return response ?? .refused(RoomError(.shuttingDown, "the server is stopping: try again, or another one"))
    }

    private func answer(to request: IncomingRequest) async -> OutgoingResponse {
        var request = request
        let origin = access.accountant.origin(of: request.remoteAddress, request.head.headerFields)
        (request.remoteAddress, request.forwarding) = (origin.address, origin.forwarding)
        guard let target = request.target else { return .malformedTarget }
        let endpoint = Endpoint(target.path, hasFile: assets.contains)
        if let endpoint, endpoint.isProbe { return methodAnswer(request, endpoint) ?? probe(endpoint) }
        // Before anything of it is read, whoever answers it.
        if let seconds = access.accountant.requestReceived(from: origin) {
            return .tooManyRequests(retryAfter: seconds)
        }
        switch access.accountant.bodyReceived(bytes: request.body.count, from: origin) {
        case .now: break
        case .refused(let seconds): return .tooManyRequests(retryAfter: seconds)
        case .after(let delay): try? await Task.sleep(for: .nanoseconds(delay.nanoseconds))
        }
        if let answer = access.plainAnswer(request) { return answer }
        if var refusal = handshakeRefusal(request.head) {
            // After an upgrade that came to nothing, HTTP/1.1's upgrade handler lets no second request through.
            refusal.head.headerFields[.connection] = "close"
            return refusal
        }
        // Reading is not guarded, since without CORS a page cannot see the answer; but Engine.IO opens sessions by it.
        let isGuarded = !Self.isSafe(request.head.method) || endpoint == .socketIO
        if isGuarded, !access.allowsOrigin(of: request.head) {
            return Self.foreignOrigin
        }
        guard let endpoint else {
            return .failure(.notFound, code: "not-found", "there is nothing at this path: see /api/openapi.json")
        }
        var response: OutgoingResponse
        if let answer = methodAnswer(request, endpoint) {
            response = answer
        } else {
            response = await answer(to: request, target, endpoint) ?? Self.notFound
            audit(response, to: request, target, endpoint)
        }
        if endpoint.isState { share(&response, with: request.head, endpoint) }
        return response
    }

    /// Lets pages of the origins that are let in read the state API's answers (CORS). Access is a matter of tokens, not
    /// of cookies, so none are sent.
    private func share(_ response: inout OutgoingResponse, with request: HTTPRequest, _ endpoint: Endpoint) {
        let origin = access.sharedOrigin(with: request)
        response.head.headerFields[.accessControlAllowOrigin] = origin
        if origin != "*" { response.head.headerFields[.vary] = "Origin" }
        guard origin != nil else { return }
        response.head.headerFields[.accessControlExposeHeaders] = "Location, Retry-After, WWW-Authenticate"
        guard request.method == .options else { return }
        response.head.headerFields[.accessControlAllowMethods] = endpoint.allowed
        response.head.headerFields[.accessControlAllowHeaders] = "Authorization, Content-Type, Last-Event-ID"
        response.head.headerFields[.accessControlMaxAge] = "7200"
    }

    /// Writes down who was refused, at whichever endpoint.
    private func audit(
        _ response: OutgoingResponse, to request: IncomingRequest, _ target: RequestTarget, _ endpoint: Endpoint
    ) {
        let status = response.head.status.code
        guard AuditLog.isRefusal(status) else { return }
        access.audit.refused(by: "\(request.head.method) \(endpoint.pattern ?? "/")", from: request.origin) {
            var known: Logger.Metadata = ["status": "\(status)"]
            // The path itself may hold a session's secret.
            if let room = endpoint.room(of: target.path) { known["room.id"] = "\(room)" }
            let error = (try? JSONValue(parsing: response.body)).flatMap { try? JSONReader($0).required("error") }
            known["code"] = "\((try? error?.required("code").string()) ?? "refused")"
            known["error"] = "\((try? error?.required("message").string()) ?? "")"
            return known
        }
    }

    /// What is answered without the endpoint: methods that it has not (RFC 9110 §15.5.6), and OPTIONS, with which some proxies
    /// ask whether a server lives.
    private func methodAnswer(_ request: IncomingRequest, _ endpoint: Endpoint) -> OutgoingResponse? {
        guard !endpoint.answersEveryMethod, !endpoint.takes(request.head.method) else { return nil }
        guard request.head.method == .options else {
            return .methodNotAllowed(endpoint.allowed, "this path takes another method")
        }
        return OutgoingResponse(status: .noContent, headerFields: [.allow: endpoint.allowed])
    }

    /// - Returns: `nil` if what the path names is not there.
    private func answer(
        to request: IncomingRequest, _ target: RequestTarget, _ endpoint: Endpoint
    ) async -> OutgoingResponse? {
        switch endpoint {
        case .health, .readiness: return probe(endpoint)
        case .metrics: return state.admin.metricsRefusal(of: request) ?? metrics.response()
        case .asset:
            return assets.response(
                to: request, path: target.path == ["console"] ? ["console", "index.html"] : target.path)
        case .roomList: return state.admin.readingRefusal(of: request) ?? state.rooms()
        case .room: return await room(target.path[1], request, target)
        case .roomName, .roomExistence, .passwordCheck: return await roomEntry.response(to: request, target.path)
        case .socketIO: return await socketIO.respond(to: request, target)
        case .whip, .whep, .whipSession, .whepSession: return await whip.respond(to: request, target)
        case .peer, .peerRequests, .peerResponses, .peerEvents: return await peers.respond(to: request, target)
        case .broadcasters, .broadcaster, .broadcasterJoin, .broadcasterInfos, .broadcasterProducers,
            .broadcasterConsumers, .broadcasterConsumerResume, .broadcasterTransports, .broadcasterConnect,
            .broadcasterPlainConnect, .broadcasterTransportProducers, .broadcasterConsume, .broadcasterConsumeData,
            .broadcasterProduceData:
            return await broadcasters.respond(to: request, target)
        case .stateRooms, .stateRoom, .stateSnapshot, .stateRoomEvents, .stateMinutes, .statePeers, .statePeer,
            .stateExplanation,
            .stateExplanationEvents, .stateRecording, .stateTransports, .stateTransport, .stateProducers,
            .stateProducer, .statePause, .stateResume, .stateConsumers, .stateConsumer, .stateServer, .stateShards,
            .stateEvents, .stateAllPeers, .stateMute, .stateLock, .stateUnlock, .stateMessages, .stateInvites,
            .stateBans, .stateBan, .statePeerBan, .stateHistory, .stateRecord, .stateAudit:
            return await state.respond(to: request, target)
        }
    }

    /// Everything about a room for whoever may administer the server, and what the room can receive for whoever may enter it.
    private func room(_ name: String, _ request: IncomingRequest, _ target: RequestTarget) async -> OutgoingResponse {
        do throws(RoomError) {
            if try state.admin.showsToken(request) { return await state.room(name) }
            guard access.requiresToken else {
                return AccessControl.isOwnMachine(request) ? await state.room(name) : state.capabilities(of: name)
            }
            let grants = try access.grants(of: AccessControl.token(of: request.head, target), from: request.origin)
            if grants.isAdmin { return await state.room(name) }
            _ = try access.admit(grants, to: RoomID(name))
            return state.capabilities(ofAny: name)
        } catch {
            return .refused(error)
        }
    }

    /// The signaling handshake that a request asks for, if it may have it.
    /// - Parameter remote: the connection's other end.
    func handshake(
        _ request: HTTPRequest, from remote: ClientAddress?, isEncrypted: Bool = false
    ) -> SignalingHandshake? {
        guard case .accept(var handshake) = SignalingHandshake.validate(request) else { return nil }
        // Counted when the request is answered.
        guard access.allowsOrigin(of: request, isCounted: false) else { return nil }
        handshake.token = AccessControl.token(of: request, RequestTarget(request.path ?? "/"))
        handshake.origin = access.accountant.origin(of: remote, request.headerFields)
        if isEncrypted, handshake.origin.forwarding == .none { handshake.origin.secureAuthority = request.authority }
        let incoming = IncomingRequest(
            head: request, remoteAddress: handshake.origin.address, isEncrypted: isEncrypted)
        guard access.plainAnswer(incoming) == nil else { return nil }
        return handshake
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

    /// Whether the process lives, and whether it takes new peers.
    private func probe(_ endpoint: Endpoint) -> OutgoingResponse {
        let isDraining = endpoint == .readiness && access.isDraining
        let ways =
            endpoint == .readiness ? "media: \(state.mediaWays)\n" + (turnWays().map { "TURN: \($0)\n" } ?? "") : ""
        return OutgoingResponse(
            status: isDraining ? .serviceUnavailable : .ok, contentType: "text/plain; charset=utf-8",
            body: Array((isDraining ? "draining\n" : "ok\n\(ways)").utf8))
    }

    private static func isSafe(_ method: HTTPRequest.Method) -> Bool {
        method == .get || method == .head || method == .options
    }

    private static let foreignOrigin = OutgoingResponse.failure(
        .forbidden, code: "origin-not-allowed", "pages of this origin may not use this server (--allowed-origin)")

    private static let notFound = OutgoingResponse.failure(
        .notFound, code: "not-found", "there is nothing at this path")
}
