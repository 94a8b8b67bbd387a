import FoundationEssentials
import JWTKit
import Media
import Rooms

/// The claims of a token (RFC 7519) that this server reads; others are left alone.
struct TokenClaims: JWTPayload {
    var room: String?
    var publish: Bool?
    var subscribe: Bool?
    var data: Bool?
    var admin: Bool?
    var name: String?
    var peer: String?
    var exp: ExpirationClaim?
    var nbf: NotBeforeClaim?

    /// Times are checked by `TokenVerifier`, which is given the clock.
    func verify(using algorithm: some JWTAlgorithm) throws {}

    /// Without any of publish, subscribe and data all three are meant; with one of them, only what says `true`.
    var grants: AccessGrants {
        var permissions: PeerPermissions = []
        if publish == nil, subscribe == nil, data == nil { permissions = .all }
        if publish == true { permissions.insert(.publish) }
        if subscribe == true { permissions.insert(.subscribe) }
        if data == true { permissions.insert(.data) }
        return AccessGrants(
            room: room, permissions: permissions, isAdmin: admin ?? false, name: name, peer: peer)
    }
}

/// Judges tokens by the keys of this server.
struct TokenVerifier: Sendable {
    /// Longer ones are not looked at.
    static let maximumBytes = 4096
    /// How far ahead an issuer's clock may be, in seconds.
    static let clockTolerance = 10.0

    private struct Key: Sendable, Redacted {
        var id: String?
        var algorithm: any JWTAlgorithm
    }

    private let keys: [Key]

    var isEmpty: Bool { keys.isEmpty }

    init(_ keys: [AccessKey] = []) async {
        var algorithms: [Key] = []
        for key in keys {
            let collection = await JWTKeyCollection().add(
                hmac: HMACKey(from: Array(key.secret.revealed.utf8)), digestAlgorithm: .sha256)
            guard let algorithm = try? await collection.getKey() else { continue }
            algorithms.append(Key(id: key.id, algorithm: algorithm))
        }
        self.keys = algorithms
    }

    private init() { keys = [] }

    /// Knows no key.
    static let none = TokenVerifier()

    /// - Parameter now: the wall clock.
    func verify(_ token: Secret, now: Date) throws(TokenProblem) -> AccessGrants {
        let bytes = Array(token.revealed.utf8)
        guard !bytes.isEmpty else { throw .missing }
        guard bytes.count <= Self.maximumBytes else { throw .tooLong }
        let header: JWTHeader
        let claims: TokenClaims
        let signature: Data
        do { (header, claims, signature) = try DefaultJWTParser().parse(bytes, as: TokenClaims.self) } catch {
            throw .malformed
        }
        // Never what the token itself would like to be checked with (RFC 8725 §3.1), nor what it calls critical.
        guard header.alg == "HS256" else { throw .algorithm }
        guard header.fields["crit"] == nil else { throw .malformed }
        var candidates = keys
        if let kid = header.kid {
            candidates = keys.filter { $0.id == kid }
            guard !candidates.isEmpty else { throw .unknownKey }
        }
        guard let end = bytes.lastIndex(of: UInt8(ascii: ".")) else { throw .malformed }
        let signed = Array(bytes[..<end])
        guard candidates.contains(where: { (try? $0.algorithm.verify(signature, signs: signed)) == true }) else {
            throw .signature
        }
        if let exp = claims.exp, exp.value <= now { throw .expired }
        if let nbf = claims.nbf, nbf.value > now.addingTimeInterval(Self.clockTolerance) { throw .notYetValid }
        return claims.grants
    }
}

/// Makes tokens.
public enum AccessToken {
    /// Signs a token with these grants.
    /// - Parameters:
    ///   - lifetime: in seconds from `now`; `nil` for one that never expires.
    ///   - now: seconds since 1970.
    public static func make(
        _ grants: AccessGrants, key: AccessKey, lifetime: Int?, now: Double
    ) async throws -> String {
        let claims = TokenClaims(
            room: grants.room, publish: grants.permissions.contains(.publish),
            subscribe: grants.permissions.contains(.subscribe), data: grants.permissions.contains(.data),
            admin: grants.isAdmin ? true : nil, name: grants.name, peer: grants.peer,
            exp: lifetime.map { ExpirationClaim(value: Date(timeIntervalSince1970: (now + Double($0)).rounded())) },
            nbf: nil)
        let keys = await JWTKeyCollection().add(
            hmac: HMACKey(from: Array(key.secret.revealed.utf8)), digestAlgorithm: .sha256)
        var header = JWTHeader()
        header.kid = key.id
        header.alg = "HS256"
        return try await keys.sign(claims, header: header)
    }
}
