import HTTPTypes
import Logging
import RoundhouseMedia
import RoundhouseRooms

/// WHIP (RFC 9725) at `/whip/{room}` and WHEP (draft-ietf-wish-whep) at `/whep/{room}`; each session is one path further.
struct WHIPEndpoints: Sendable {
    let negotiator: SDPNegotiator
    let access: AccessControl
    let lane: ReadingLane

    private static let sdp = "application/sdp"
    private static let fragment = "application/trickle-ice-sdpfrag"

    init(rooms: RoomRegistry, access: AccessControl, lane: ReadingLane = ReadingLane(), logger: Logger) {
        self.access = access
        self.lane = lane
        negotiator = SDPNegotiator(
            rooms: rooms, sessions: SDPSessionTable(), logger: logger,
            connectTimeout: access.limits.mediaConnectTimeout)
    }

    /// - Returns: `nil` if the path is not one of theirs.
    func respond(to request: IncomingRequest, _ target: RequestTarget) async -> OutgoingResponse? {
        guard let endpoint = target.path.first, endpoint == "whip" || endpoint == "whep",
            (2...3).contains(target.path.count)
        else { return nil }
        var response: OutgoingResponse
        if target.path.count == 2 {
            response = await atEndpoint(request, target)
        } else {
            let key = SDPSessionTable.Key(endpoint: endpoint, room: target.path[1], id: target.path[2])
            response = await atSession(request, key)
        }
        if response.head.status.code >= 400 { response = Self.problem(response) }
        // Pages of the origins that are let in may publish and watch: who may is not a matter of cookies, so none are sent.
        let origin = access.sharedOrigin(with: request.head)
        response.head.headerFields[.accessControlAllowOrigin] = origin
        if origin != "*" { response.head.headerFields[.vary] = "Origin" }
        response.head.headerFields[.accessControlExposeHeaders] = "Location, ETag, Link, Retry-After, Accept-Patch"
        return response
    }

    // MARK: The endpoint

    private func atEndpoint(_ request: IncomingRequest, _ target: RequestTarget) async -> OutgoingResponse {
        switch request.head.method {
        case .options: return Self.preflight("POST, OPTIONS", accepts: .acceptPost, Self.sdp)
        case .post: break
        default: return .methodNotAllowed("POST, OPTIONS", "an offer is sent with POST (RFC 9725 §4.1)")
        }
        let grant: PeerGrant
        let ownName: String?
        do throws(RoomError) {
            let token = AccessControl.token(of: request.head, target)
            let isPublishing = target.path[0] == "whip"
            let grants = try access.admit(
                token, from: request.origin, to: RoomID(target.path[1]),
                as: isPublishing ? target["peerId"].map { PeerID($0) } : nil)
            // Before anybody's place is taken for it.
            try grants.require(isPublishing ? .publish : .subscribe)
            grant = grants.peerGrant(
                access.claim(of: token, grants, from: request.remoteAddress), from: request.remoteAddress)
            ownName = grants.peer
        } catch {
            return .refused(error)
        }
        guard Self.mediaType(request) == Self.sdp else {
            var response = OutgoingResponse.failure(
                .unsupportedMediaType, code: "unsupported-media-type", "an offer is \(Self.sdp)")
            response.head.headerFields[.acceptPost] = Self.sdp
            return response
        }
        guard ClientName.room.admits(target.path[1]) else {
            return .failure(
                .badRequest, code: "invalid-parameter",
                "the room's name, behind /\(target.path[0])/, \(ClientName.room.rule)")
        }
        let offer: SDPOffer
        do throws(SDPError) {
            offer = try await lane.read(bytes: request.body.count) {
                Result { () throws(SDPError) in try SDPOffer(try SessionDescription(parsing: request.body)) }
            }.get()
        } catch {
            return .failure(.badRequest, code: "invalid-sdp", error.description)
        }
        do throws(SDPNegotiator.Refusal) {
            let negotiated = try await negotiate(offer, request, target, grant, ownName)
            negotiator.logger.info(
                "session opened",
                metadata: AuditLog.client(request.origin).merging([
                    "room.id": "\(target.path[1])", "endpoint": "\(target.path[0])",
                ]) { own, _ in own })
            return Self.created(negotiated)
        } catch {
            var response = OutgoingResponse.failure(.init(code: error.status), code: error.code, error.message)
            if let seconds = error.retryAfter { response.head.headerFields[.retryAfter] = String(seconds) }
            return response
        }
    }

    private func negotiate(
        _ offer: SDPOffer, _ request: IncomingRequest, _ target: RequestTarget, _ grant: PeerGrant, _ ownName: String?
    ) async throws(SDPNegotiator.Refusal) -> SDPNegotiator.Negotiated {
        let origin = request.origin
        let password = target["password"] ?? ShownSecret.password(request.head.headerFields) ?? ""
        let lease: HoldingLease
        let needsPassword = negotiator.rooms.existence(of: RoomID(target.path[1])).needsPassword
        do throws(RoomError) {
            if needsPassword { try access.accountant.passwordTried(origin) }
            lease = try access.accountant.hold(.session, for: origin)
        } catch {
            throw SDPNegotiator.Refusal(error)
        }
        let wrongPassword = RoomError.Code.wrongPassword.name
        do throws(SDPNegotiator.Refusal) {
            let servers = access.turn?.servers(reachedBy: origin.secureAuthority)
            let negotiated = try await negotiate(offer, target, grant, password: password, ownName, lease, servers)
            if needsPassword { access.accountant.passwordWasRight(origin) }
            return negotiated
        } catch {
            if needsPassword, error.code != wrongPassword { access.accountant.passwordWasRight(origin) }
            throw error
        }
    }

    private static func name(
        _ name: String, _ kind: ClientName, in target: RequestTarget
    ) throws(SDPNegotiator.Refusal) -> String? {
        guard let value = target[name] else { return nil }
        guard kind.admits(value) else {
            throw .init("invalid-parameter", status: 400, "\(name) \(kind.rule)")
        }
        return value
    }

    private func negotiate(
        _ offer: SDPOffer, _ target: RequestTarget, _ grant: PeerGrant, password: String, _ ownName: String?,
        _ lease: HoldingLease, _ servers: ICEServers?
    ) async throws(SDPNegotiator.Refusal) -> SDPNegotiator.Negotiated {
        if target.path[0] == "whep" {
            let publisher = try Self.name("peer", .peer, in: target).map { PeerID($0) }
            return try await negotiator.watch(
                offer, room: target.path[1], password: password, grant: grant, lease: lease, servers: servers,
                publisher: publisher)
        }
        let peerID = try (Self.name("peerId", .peer, in: target) ?? ownName).map { PeerID($0) }
        let displayName = try Self.name("displayName", .room, in: target) ?? peerID?.rawValue
        return try await negotiator.publish(
            offer, room: target.path[1], password: password, grant: grant, lease: lease, servers: servers,
            peerID: peerID,
            displayName: displayName, isPartial: target["partial"] == "yes")
    }

    private static func created(_ negotiated: SDPNegotiator.Negotiated) -> OutgoingResponse {
        var response = OutgoingResponse(
            status: .created, contentType: sdp, body: Array(negotiated.answer.text.utf8))
        let key = negotiated.session.key
        response.head.headerFields[.location] = "/\(key.endpoint)/\(Self.percentEncoded(key.room))/\(key.id)"
        response.head.headerFields[.eTag] = negotiated.session.entityTag
        response.head.headerFields[.acceptPatch] = fragment
        for link in negotiated.session.membership.servers?.links ?? [] {
            response.head.headerFields.append(HTTPField(name: .link, value: link))
        }
        return response
    }

    // MARK: A session

    private func atSession(_ request: IncomingRequest, _ key: SDPSessionTable.Key) async -> OutgoingResponse {
        if request.head.method == .options {
            return Self.preflight("PATCH, DELETE, OPTIONS", accepts: .acceptPatch, Self.fragment)
        }
        guard !key.id.isEmpty else {
            return .failure(
                .notFound, code: "session-not-found",
                "no session is named: offers go to /\(key.endpoint)/{room}, without a slash behind")
        }
        guard let session = negotiator.sessions[key], let member = session.membership.member,
            let (transport, mid) = session.transport
        else {
            if request.head.method == .delete, negotiator.sessions.hasEnded(key) {
                return OutgoingResponse(status: .ok)
            }
            return .failure(.notFound, code: "session-not-found", "there is no such session, or it has ended")
        }
        switch request.head.method {
        case .delete:
            await session.membership.leave()
            return OutgoingResponse(status: .ok)
        case .patch: return await patch(request, session, member, transport, mid: mid)
        default:
            return .methodNotAllowed("PATCH, DELETE, OPTIONS", "a session is changed with PATCH and ended with DELETE")
        }
    }

    /// Candidates of the client, or an ICE restart (RFC 9725 §4.3).
    private func patch(
        _ request: IncomingRequest, _ session: SDPSession, _ member: RoomMember,
        _ transport: WebRtcTransportDescription, mid: String
    ) async -> OutgoingResponse {
        guard Self.mediaType(request) == Self.fragment else {
            var response = OutgoingResponse.failure(
                .unsupportedMediaType, code: "unsupported-media-type", "a change is \(Self.fragment)")
            response.head.headerFields[.acceptPatch] = Self.fragment
            return response
        }
        let condition = request.head.headerFields[.ifMatch]
        // RFC 9725 §4.3.1 wants it always; some clients (medooze's) leave it out, and before the first restart there is only
        // one state that they can mean.
        guard condition != nil || !session.hasRestarted else {
            return .failure(
                .init(code: 428), code: "precondition-required",
                "If-Match has to name the session's ETag, or * to restart ICE")
        }
        let tags = condition?.split(separator: ",").map { $0.drop { $0 == " " }.prefix { $0 != " " } }
        guard condition == nil || condition == "*" || tags?.contains(Substring(session.entityTag)) == true else {
            return .failure(
                .preconditionFailed, code: "precondition-failed",
                "the ETag does not match: ICE has been restarted since")
        }
        let fragment: ICEFragment
        do throws(SDPError) {
            fragment = try ICEFragment(parsing: request.body)
        } catch {
            return .failure(.badRequest, code: "invalid-sdp", error.description)
        }
        // An ICE-lite server answers checks wherever they come from: it has no use for the client's candidates.
        guard let name = fragment.usernameFragment, name != session.clientFragment else {
            return OutgoingResponse(status: .noContent)
        }
        guard fragment.password != nil else {
            return .failure(.badRequest, code: "invalid-sdp", "a=ice-pwd: missing beside a new a=ice-ufrag")
        }
        do throws(RoomError) {
            guard
                case .iceParameters(let parameters) = try await member.room.request(
                    .restartIce(transport.id), from: member.peer)
            else { throw RoomError(.internalError, "the room gave no credentials") }
            session.restarted(clientFragment: name, fragment: parameters.usernameFragment)
            let text = ICEFragment.text(parameters, candidates: transport.iceCandidates, mid: mid)
            var response = OutgoingResponse(contentType: Self.fragment, body: Array(text.utf8))
            response.head.headerFields[.eTag] = session.entityTag
            return response
        } catch {
            return .failure(.init(code: error.code.httpStatus), code: error.code.name, error.message)
        }
    }

    /// Our errors, with the members of problem details (RFC 9457 §3.1) beside, which clients show.
    private static func problem(_ response: OutgoingResponse) -> OutgoingResponse {
        guard case .object(var fields)? = try? JSONValue(parsing: response.body),
            case .object(let error)? = fields["error"]
        else { return response }
        var response = response
        fields["type"] = .string("about:blank")
        fields["title"] = error["code"]
        fields["status"] = .integer(Int64(response.head.status.code))
        fields["detail"] = error["message"]
        response.body = JSONValue.object(fields).serialized
        response.head.headerFields[.contentType] = "application/problem+json"
        return response
    }

    // MARK: Fields

    private static func preflight(
        _ methods: String, accepts name: HTTPField.Name, _ type: String
    ) -> OutgoingResponse {
        OutgoingResponse(
            status: .noContent,
            headerFields: [
                name: type, .accessControlAllowMethods: methods,
                .accessControlAllowHeaders: "Authorization, Content-Type, ETag, If-Match, Room-Password",
                .accessControlMaxAge: "86400",
            ])
    }

    private static func mediaType(_ request: IncomingRequest) -> String? {
        request.head.headerFields[.contentType].map { field in
            String(field.prefix { $0 != ";" && $0 != " " }).lowercased()
        }
    }

    /// What RFC 3986 §2.3 reserves nothing for stays; all else is written as bytes in hexadecimal.
    private static func percentEncoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.append(Character(Unicode.Scalar(byte)))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += "%" + (digits.utf8.count < 2 ? "0" : "") + digits
            }
        }
        return encoded
    }
}

extension HTTPField.Name {
    private static func named(_ text: String) -> HTTPField.Name {
        // Each is a token by RFC 9110 §5.6.2, so that this does not fail.
        HTTPField.Name(text) ?? .allow
    }

    static let acceptPost = named("Accept-Post")
    static let acceptPatch = named("Accept-Patch")
    static let link = named("Link")
}
