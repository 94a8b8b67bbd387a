import RoundhouseRooms

/// The claims of a token (RFC 7519) that this server reads; others are left alone.
struct TokenClaims {
    let grants: AccessGrants
    /// `exp`, in seconds since 1970; from then on it grants nothing.
    let end: Double?
    /// `nbf`, in seconds since 1970; until then it grants nothing.
    let start: Double?
    /// `iss`
    let issuer: String?
    /// `aud`: one, or several in a list (RFC 7519 §4.1.3).
    let audiences: [String]
    /// `jti`
    let id: String?

    /// - Returns: `nil` for what is no object, has a name twice (RFC 7519 §4), or a claim of another type. A time that is null
    ///   is of another type, too: issuers that compute with no number write it, and their tokens must not be valid forever.
    init?(_ bytes: [UInt8]) {
        guard let claims = try? JSONReader(JSONValue(parsing: bytes, repeatedNames: .refused)) else { return nil }
        do throws(JSONFieldError) {
            func text(_ name: String) throws(JSONFieldError) -> String? { try claims.optional(name)?.string() }
            func flag(_ name: String) throws(JSONFieldError) -> Bool? { try claims.optional(name)?.bool() }
            grants = AccessGrants(
                room: try text("room"),
                permissions: Self.permissions(
                    publish: try flag("publish"), subscribe: try flag("subscribe"), data: try flag("data"),
                    moderate: try flag("moderate")),
                isAdmin: try flag("admin") ?? false, name: try text("name"), peer: try text("peer"))
            func time(_ name: String) throws(JSONFieldError) -> Double? {
                guard case .object(let fields) = claims.value, let value = fields[name] else { return nil }
                return try JSONReader(value, path: name).number()
            }
            end = try time("exp")
            start = try time("nbf")
            _ = try time("iat")
            issuer = try text("iss")
            id = try text("jti")
            if let field = try claims.optional("aud") {
                if case .string(let one) = field.value {
                    audiences = [one]
                } else {
                    audiences = try field.array(limit: 64).map { (entry) throws(JSONFieldError) in try entry.string() }
                }
            } else {
                audiences = []
            }
        } catch {
            return nil
        }
    }

    /// Without any of the first three all of them are meant; with one, only what says `true`. Moderating has to be granted.
    private static func permissions(
        publish: Bool?, subscribe: Bool?, data: Bool?, moderate: Bool?
    ) -> PeerPermissions {
        var permissions: PeerPermissions = moderate == true ? .moderate : []
        if publish == nil, subscribe == nil, data == nil { return permissions.union(.all) }
        if publish == true { permissions.insert(.publish) }
        if subscribe == true { permissions.insert(.subscribe) }
        if data == true { permissions.insert(.data) }
        return permissions
    }
}
