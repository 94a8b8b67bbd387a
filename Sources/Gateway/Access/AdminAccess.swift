import HTTPTypes

/// Who may read and change the state of the server over HTTP: whoever gives the admin token, or a token that grants admin.
///
/// Where there is neither an admin token nor a key, programs and pages of this machine may read, and nobody may change.
struct AdminAccess: Sendable {
    private let token: [UInt8]
    private let access: AccessControl?

    /// - Parameters:
    ///   - token: the admin token; `nil` or empty is none.
    ///   - access: what verifies signed tokens.
    init(token: String? = nil, access: AccessControl? = nil) {
        self.token = Array((token ?? "").utf8)
        self.access = access
    }

    /// - Parameter isChange: whether the request would change something.
    /// - Returns: the refusal (401, 403), or `nil`.
    func refusal(of request: IncomingRequest, isChange: Bool) -> OutgoingResponse? {
        if let given = AccessControl.token(of: request.head, nil), matches(given) { return nil }
        if let access, access.requiresToken { return access.adminRefusal(of: request) }
        guard token.isEmpty else {
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

    /// Takes as long for a wrong token as for the right one.
    private func matches(_ given: String) -> Bool {
        let given = Array(given.utf8)
        var difference = UInt8(given.count == token.count && !token.isEmpty ? 0 : 1)
        for (index, byte) in token.enumerated() { difference |= byte ^ (index < given.count ? given[index] : ~byte) }
        return difference == 0
    }
}
