public import RoundhouseMedia

/// A transport's own ICE credentials as a client needs them.
public struct ICEParameters: Sendable, Hashable, JSONRepresentable {
    /// RFC 8445 §5.3.
    public var usernameFragment: String
    /// RFC 8445 §5.3.
    public var password: String

    init(_ credentials: ICECredentials) {
        usernameFragment = credentials.usernameFragment
        password = credentials.password
    }

    /// With `iceLite`, always true.
    public var json: JSONValue {
        .object([
            "usernameFragment": .string(usernameFragment), "password": .string(password), "iceLite": .bool(true),
        ])
    }
}

extension ICEParameters: Redacted {}
