import HTTPTypes
import Logging
import NIOCore
import RoundhouseMedia
import RoundhouseRooms

/// Signaling without a WebSocket, under `/rooms/{room}/peers/{peer}`: requests by POST, what the server has to say as an
/// event stream.
struct PeerEndpoints: Sendable {
    let gateway: SignalingGateway
    let rooms: RoomRegistry
    let access: AccessControl
    let group: any EventLoopGroup

    private enum Resource: String {
        case requests, responses, events
    }

    private struct Refusal: Error { var response: OutgoingResponse }

    /// - Returns: `nil` if the path is not one of theirs.
    func respond(to request: IncomingRequest, _ target: RequestTarget) async -> OutgoingResponse? {
        guard (4...5).contains(target.path.count), target.path[0] == "rooms", target.path[2] == "peers" else {
            return nil
        }
        var resource: Resource?
        if target.path.count == 5 {
            guard let named = Resource(rawValue: target.path[4]) else { return nil }
            resource = named
        }
        var response: OutgoingResponse
        do throws(Refusal) {
            response = try await respond(to: request, target, resource)
        } catch {
            response = error.response
        }
        // Where no origin is named, pages of any may: who may is a matter of tokens and not of cookies.
        let origin = access.sharedOrigin(with: request.head)
        response.head.headerFields[.accessControlAllowOrigin] = origin
        if origin != "*" { response.head.headerFields[.vary] = "Origin" }
        return response
    }

    private func respond(
        to request: IncomingRequest, _ target: RequestTarget, _ resource: Resource?
    ) async throws(Refusal) -> OutgoingResponse {
        if request.head.method == .options { return Self.preflight(Self.method(for: resource)) }
        guard request.head.method.rawValue == Self.method(for: resource) else {
            return .methodNotAllowed("\(Self.method(for: resource)), OPTIONS", "this path takes another method")
        }
        for (kind, name) in [(ClientName.room, target.path[1]), (.peer, target.path[3])] where !kind.admits(name) {
            throw Refusal(
                response: .failure(
                    .badRequest, code: "invalid-parameter",
                    "the \(kind)'s name \(kind.rule): not \"\(name.prefix(64))\""))
        }
        switch resource {
        case .requests: return try await requestReceived(request, target)
        case .responses: return try await answerReceived(request, target)
        case .events: return try events(request, target)
        case nil:
            try session(request, target).leave()
            return OutgoingResponse(status: .noContent)
        }
    }

    private static func method(for resource: Resource?) -> String {
        switch resource {
        case .requests, .responses: "POST"
        case .events: "GET"
        case nil: "DELETE"
        }
    }

    // MARK: Requests and answers

    private func requestReceived(
        _ request: IncomingRequest, _ target: RequestTarget
    ) async throws(Refusal) -> OutgoingResponse {
        let session = try admitted(request, target)?.session
        let fields = try await fields(of: request)
        guard case .string(let method)? = fields["method"] else {
            return Self.response(.failure(RoomError(.invalidRequest, "method: not a string")))
        }
        let data = fields["data"] ?? .null
        guard let session else { return try await first(method, data, request, target) }
        let id: SignalID?
        switch fields["id"] {
        case nil, .null: id = nil
        case .string(let text)? where text.utf8.count <= 128: id = SignalID(json: .string(text))
        case let number?:
            switch number {
            case .integer, .number: id = SignalID(json: number)
            default:
                return Self.response(
                    .failure(RoomError(.invalidRequest, "id: neither a number nor a text of at most 128 bytes")))
            }
        }
        let result = await session.post(
            method, data, id: id, number: ProtooDialect.count(fields["seq"]),
            acknowledged: ProtooDialect.count(fields["ack"]), window: access.limits.eventsWindow)
        let response = Self.response(result)
        session.intake.answered(bytes: response.body.count, to: request.body.count)
        return response
    }

    /// A request without a session: to join, which makes one, or to learn what one has to know before.
    private func first(
        _ method: String, _ data: JSONValue, _ request: IncomingRequest, _ target: RequestTarget
    ) async throws(Refusal) -> OutgoingResponse {
        var entry: RoomEntry
        do throws(SignalingHandshake.Problem) {
            entry = try RoomEntry(
                room: target.path[1], peer: target.path[3], target, request.head.headerFields)
        } catch {
            return error.response
        }
        entry.isResumable = true
        entry.accessToken = AccessControl.token(of: request.head, target)
        entry.origin = request.origin
        switch method {
        case "getRouterRtpCapabilities":
            if let refusal = access.refusal(of: request) { return refusal }
            let capabilities = rooms.routerCapabilities(of: entry.room)
            return Self.response(.success(entry.dialect.data(of: .routerRtpCapabilities(capabilities))))
        case "join": return Self.response(await join(entry, data))
        default:
            throw Refusal(
                response: .failure(
                    .unauthorized, code: "session-required",
                    "join first: its reply has the session's token, which belongs into the Signaling-Session field"))
        }
    }

    private func join(_ entry: RoomEntry, _ data: JSONValue) async -> Result<JSONValue, RoomError> {
        let window = access.limits.eventsWindow
        do throws(RoomError) {
            // What cannot join must not take another one's place.
            _ = try entry.dialect.request("join", data)
        } catch {
            return .failure(error)
        }
        let session: SignalingSession
        do throws(RoomError) {
            session = try gateway.makeSession(entry, eventLoop: group.next())
        } catch {
            return .failure(error)
        }
        do throws(RoomError) {
            try await gateway.enter(session, entry)
            session.logger.info("peer connected")
            let result = await session.post("join", data, id: nil, number: nil, acknowledged: nil, window: window)
            guard case .object(var fields) = try result.get() else { return result }
            fields["session"] = .fields([
                "token": session.token.map { .string($0.text) }, "seconds": .integer(window.components.seconds),
            ])
            return .success(.object(fields))
        } catch {
            // The router writes down who may not enter.
            let isAudited = AuditLog.isRefusal(error.code.httpStatus)
            session.logger.log(level: isAudited ? .debug : .info, "peer refused", metadata: ["error": "\(error)"])
            session.end()
            return .failure(error)
        }
    }

    private func answerReceived(
        _ request: IncomingRequest, _ target: RequestTarget
    ) async throws(Refusal) -> OutgoingResponse {
        guard let (session, charge) = try admitted(request, target) else {
            throw Refusal(response: Self.sessionNotFound)
        }
        let fields = try await fields(of: request)
        guard case .integer(let number)? = fields["id"], let id = UInt32(exactly: number) else {
            return Self.response(.failure(RoomError(.invalidRequest, "id: not the number of a request")))
        }
        guard case .bool(let isAccepted)? = fields["ok"] else {
            return Self.response(.failure(RoomError(.invalidRequest, "ok: neither true nor false")))
        }
        let isExpected = await session.post(
            answer: id, isAccepted: isAccepted, window: access.limits.eventsWindow)
        guard isExpected else {
            throw Refusal(
                response: .failure(
                    .notFound, code: "request-not-found", "nobody waits for this answer, or not any longer"))
        }
        session.intake.giveBack(charge)
        return OutgoingResponse(status: .noContent)
    }

    // MARK: Events

    private func events(_ request: IncomingRequest, _ target: RequestTarget) throws(Refusal) -> OutgoingResponse {
        let session = try session(request, target)
        guard let acknowledged = UInt64(request.lastEventID ?? "0") else {
            throw Refusal(
                response: .failure(
                    .badRequest, code: "invalid-parameter", "Last-Event-ID has to be the id of an event of this stream")
            )
        }
        let number = ChannelID()
        let window = access.limits.eventsWindow
        let loan = access.accountant.memory(of: request.origin).loan(own: MemoryLoan.outgoingBytes)
        let stream = EventStream(limit: access.limits.outgoingBytes, loan: loan) { [weak session] _ in
            if let channel = number.value { session?.channelLost(channel, window: window) }
        }
        do throws(SignalingLink.Refusal) {
            number.value = try session.attach(
                EventStreamChannel(stream: stream), acknowledged: acknowledged, window: window)
        } catch {
            switch error {
            case .ended: throw Refusal(response: Self.sessionNotFound)
            case .notThisSession:
                throw Refusal(
                    response: .failure(
                        .badRequest, code: "invalid-parameter", "Last-Event-ID: this session has sent no such event"))
            }
        }
        return OutgoingResponse(events: stream)
    }

    // MARK: Sessions

    private func session(_ request: IncomingRequest, _ target: RequestTarget) throws(Refusal) -> SignalingSession {
        let session = gateway.sessions.session(
            of: PeerID(target.path[3]), in: RoomID(target.path[1]), token: Self.token(request, target) ?? Secret(""))
        guard let session else { throw Refusal(response: Self.sessionNotFound) }
        return session
    }

    /// The session of a request that may be read; `nil` for a request without one, whose address answers for it.
    private func admitted(
        _ request: IncomingRequest, _ target: RequestTarget
    ) throws(Refusal) -> (session: SignalingSession, charge: SignalingAllowance.Charge)? {
        guard Self.token(request, target) != nil else { return nil }
        let session = try session(request, target)
        do throws(RoomError) {
            return (session, try session.intake.admitOrRefuse(bytes: request.body.count))
        } catch {
            throw Refusal(response: .refused(error))
        }
    }

    private static let sessionNotFound = OutgoingResponse.failure(
        .notFound, code: "session-not-found", "there is no such session, or it has ended: join again")

    /// `EventSource` cannot send fields of its own.
    private static func token(_ request: IncomingRequest, _ target: RequestTarget) -> Secret? {
        (request.head.headerFields[.signalingSession] ?? target["session"]).map(Secret.init)
    }

    // MARK: Bodies

    private func fields(of request: IncomingRequest) async throws(Refusal) -> [String: JSONValue] {
        let type = request.head.headerFields[.contentType]?.prefix { $0 != ";" && $0 != " " }.lowercased()
        guard type == "application/json" else {
            throw Refusal(
                response: .failure(
                    .unsupportedMediaType, code: "unsupported-media-type", "the body has to be application/json"))
        }
        let json = await gateway.lane.read(bytes: request.body.count) { try? JSONValue(parsing: request.body) }
        guard case .object(let fields)? = json else {
            throw Refusal(
                response: .failure(.badRequest, code: "invalid-request", "the body has to be a JSON object"))
        }
        return fields
    }

    private static func response(_ result: Result<JSONValue, RoomError>) -> OutgoingResponse {
        switch result {
        case .success(let data): OutgoingResponse(json: data)
        case .failure(let error): .refused(error)
        }
    }

    private static func preflight(_ method: String) -> OutgoingResponse {
        OutgoingResponse(
            status: .noContent,
            headerFields: [
                .accessControlAllowMethods: "\(method), OPTIONS",
                .accessControlAllowHeaders:
                    "Authorization, Content-Type, Last-Event-ID, Room-Password, Signaling-Session",
                .accessControlMaxAge: "86400",
            ])
    }
}

extension HTTPField.Name {
    static let signalingSession = HTTPField.Name("Signaling-Session")!  // '!' okay: a token.
}
