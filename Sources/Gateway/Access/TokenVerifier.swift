import RoundhouseMedia
import RoundhouseRooms

/// Judges tokens by the keys of this server.
struct TokenVerifier: Sendable {
    /// Longer ones are not looked at.
    static let maximumBytes = 4096
    /// How far ahead an issuer's clock may be, in seconds.
    static let clockTolerance = 10.0

    private struct Key: Sendable, Redacted {
        var id: String?
        var algorithm: JWSAlgorithm
        /// `nil` verifies nothing: what cannot be used must not open the server as if there were no key.
        var verifier: SignatureVerifier?
    }

    private let keys: [Key]
    private let rules: TokenRules

    var isEmpty: Bool { keys.isEmpty }

    init(_ keys: [AccessKey] = [], rules: TokenRules = TokenRules()) {
        self.rules = rules
        self.keys = keys.map { key in
            Key(id: key.id, algorithm: key.material.algorithm, verifier: SignatureVerifier(key.material))
        }
    }

    /// Knows no key.
    static let none = TokenVerifier()

    /// - Parameter now: the wall clock, in seconds since 1970.
    func verify(_ token: Secret, now: Double) throws(TokenProblem) -> AccessGrants {
        let bytes = Array(token.revealed.utf8)
        guard !bytes.isEmpty else { throw .missing }
        guard bytes.count <= Self.maximumBytes else { throw .tooLong }
        guard let jws = CompactJWS(bytes), let claims = TokenClaims(jws.payload) else { throw .malformed }
        // A key has one algorithm: what the token would like to be checked with only says which keys to try (RFC 8725 §3.1).
        var candidates = keys.filter { $0.algorithm == JWSAlgorithm(name: jws.algorithm) }
        guard !candidates.isEmpty else { throw .algorithm }
        if let id = jws.keyID {
            guard keys.contains(where: { $0.id == id }) else { throw .unknownKey }
            candidates.removeAll { $0.id != id }
            guard !candidates.isEmpty else { throw .algorithm }
        }
        guard let signature = jws.signature,
            candidates.contains(where: { $0.verifier?.verify(signature, of: jws.signed) == true })
        else { throw .signature }
        if let end = claims.end, end <= now { throw .expired }
        if let start = claims.start, start > now + Self.clockTolerance { throw .notYetValid }
        if let problem = rules.problem(claims) { throw problem }
        return claims.grants
    }
}
