import RoundhouseRooms

/// Makes tokens.
public enum AccessToken {
    /// Signs a token with these grants (HS256).
    /// - Parameters:
    ///   - key: one that can sign.
    ///   - lifetime: in seconds from `now`; `nil` for one that never expires.
    ///   - now: seconds since 1970.
    ///   - rules: those of the server it is for, which it then says what they ask for.
    ///   - id: by which it can be revoked; `nil` for one that cannot.
    /// - Throws: if the key only verifies, or libcrypto refuses.
    public static func make(
        _ grants: AccessGrants, key: AccessKey, lifetime: Int?, now: Double, rules: TokenRules = TokenRules(),
        id: String? = nil
    ) throws(AccessKey.Problem) -> String {
        guard case .secret(let secret) = key.material else {
            throw AccessKey.Problem(message: "a public key signs nothing: give a secret")
        }
        let claims = JSONValue.fields([
            "room": grants.room.map(JSONValue.string), "publish": .bool(grants.permissions.contains(.publish)),
            "subscribe": .bool(grants.permissions.contains(.subscribe)),
            "data": .bool(grants.permissions.contains(.data)), "admin": grants.isAdmin ? .bool(true) : nil,
            "moderate": grants.permissions.contains(.moderate) ? .bool(true) : nil,
            "name": grants.name.map(JSONValue.string), "peer": grants.peer.map(JSONValue.string),
            "iss": rules.issuers.min().map(JSONValue.string), "aud": rules.audiences.min().map(JSONValue.string),
            "jti": id.map(JSONValue.string), "exp": lifetime.map { .normalized((now + Double($0)).rounded()) },
        ])
        let token = CompactJWS.make(algorithm: .hs256, keyID: key.id, payload: claims) {
            SignatureVerifier.authenticationCode(of: $0, with: secret)
        }
        guard let token else { throw AccessKey.Problem(message: "libcrypto does not sign with HMAC-SHA-256") }
        return token
    }
}
