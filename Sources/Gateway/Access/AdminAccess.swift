import HTTPTypes
import RoundhouseMedia
import RoundhouseRooms

/// Decides who may read and change the state of the server over HTTP: whoever sends the admin token, or a token that grants admin.
///
/// Where there is neither an admin token nor a key, programs and pages of this machine may read, and nobody may change.
struct AdminAccess: Sendable {
    let access: AccessControl

    /// - Parameter access: what knows the admin token, and verifies signed tokens.
    init(access: AccessControl) { self.access = access }

    /// - Parameters:
    ///   - isChange: whether the request would change something.
    ///   - room: the room whose moderators may do it, too.
    /// - Returns: the refusal (401, 403), or `nil`.
    func refusal(
        of request: IncomingRequest, isChange: Bool, moderating room: RoomID? = nil
    ) -> OutgoingResponse? {
        let token = access.adminToken
        do throws(RoomError) {
            if try showsToken(request) { return nil }
        } catch {
            return .refused(error)
        }
        if access.requiresToken { return access.adminRefusal(of: request, moderating: room) }
        guard token == nil else {
            if AccessControl.token(of: request.head, nil) != nil { access.accountant.tokenFailed(request.origin) }
            var response = OutgoingResponse.failure(
                .unauthorized, code: "unauthorized", "this needs 'Authorization: Bearer …' with the admin token")
            response.head.headerFields[.wwwAuthenticate] = "Bearer realm=\"roundhouse\""
            return response
        }
        guard AccessControl.isOwnMachine(request) else {
            return .failure(
                .forbidden, code: "forbidden",
                "without --admin-token this is answered only on the server's own machine, at its loopback address")
        }
        guard !isChange else {
            return .failure(
                .forbidden, code: "forbidden", "without --admin-token nothing can be changed: start the server with one"
            )
        }
        return nil
    }

    /// Whether who asks may do everything, rather than what moderators of a room may.
    func isOperator(_ request: IncomingRequest) -> Bool {
        do throws(RoomError) {
            if try showsToken(request) { return true }
            guard access.requiresToken else { return false }
            return try access.grants(of: AccessControl.token(of: request.head, request.target), from: request.origin)
                .isAdmin
        } catch {
            return false
        }
    }

    /// The same for the older paths that only read: programs of this machine may do that without a key, whatever the admin token.
    func readingRefusal(of request: IncomingRequest) -> OutgoingResponse? {
        do throws(RoomError) {
            return try showsToken(request) ? nil : access.adminRefusal(of: request)
        } catch {
            return .refused(error)
        }
    }

    /// The same for `/metrics`, which has a token of its own for the programs that collect them.
    func metricsRefusal(of request: IncomingRequest) -> OutgoingResponse? {
        let expected = access.metricsToken
        let given = AccessControl.token(of: request.head, nil)
        do throws(RoomError) {
            if try showsToken(request) { return nil }
            if let expected, let given {
                try access.accountant.mayShowToken(request.origin)
                if expected.matches(given) { return nil }
            }
            if access.requiresToken, let given, try access.grants(of: given, from: request.origin).isAdmin {
                return nil
            }
        } catch {
            return .refused(error)
        }
        guard expected != nil else {
            return AccessControl.isOwnMachine(request)
                ? nil
                : .failure(
                    .forbidden, code: "forbidden",
                    "without --metrics-token this is answered only on the server's own machine, at its loopback address"
                )
        }
        // A signed token that grants no admin was counted where it was verified, if there is a key.
        if given != nil, !access.requiresToken { access.accountant.tokenFailed(request.origin) }
        return .refused(
            RoomError(.unauthorized, "this needs 'Authorization: Bearer …' with the metrics token or the admin token"))
    }

    /// Whether a request has the admin token.
    /// - Throws: `RoomError` with code `rateLimited` where too many came that were none.
    func showsToken(_ request: IncomingRequest) throws(RoomError) -> Bool {
        guard let token = access.adminToken, let given = AccessControl.token(of: request.head, nil) else {
            return false
        }
        try access.accountant.mayShowToken(request.origin)
        return token.matches(given)
    }
}
