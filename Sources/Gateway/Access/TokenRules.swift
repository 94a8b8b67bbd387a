/// What a token has to say beside its signature, by the operator's wish.
public struct TokenRules: Sendable, Hashable {
    /// The issuers (`iss`) whose tokens are taken; none: whoever has the key.
    public var issuers: Set<String> = []
    /// Of those it was issued for (`aud`), one has to be among these; none: it may be for anybody.
    public var audiences: Set<String> = []
    /// Whether it has to end (`exp`).
    public var requiresExpiry = false
    /// Names (`jti`) of tokens that are valid no longer.
    public var revoked: Set<String> = []

    /// None.
    public init() {}

    /// Reads the names of revoked tokens, one in a line; what follows a blank is when the token would have expired, in seconds since
    /// 1970, after which the line is of no use. Blank lines and those that begin with `#` are left out.
    /// - Returns: the names, or the number of a line that is none.
    public static func revoked(inFile text: String, now: Double) -> Result<Set<String>, BadLine> {
        var names: Set<String> = []
        for (index, line) in text.trimmedLines.enumerated() where !line.isEmpty && !line.hasPrefix("#") {
            let words = line.split { $0 == " " || $0 == "\t" }
            let end = words.count > 1 ? Double(words[1]) : .infinity
            guard words.count <= 2, let end, let name = words.first else { return .failure(BadLine(number: index + 1)) }
            if end > now { names.insert(String(name)) }
        }
        return .success(names)
    }

    /// A line that is no token's name.
    public struct BadLine: Error, Hashable {
        /// From 1 on.
        public let number: Int
    }

    /// Why a token is refused that is signed as it should be.
    func problem(_ claims: TokenClaims) -> TokenProblem? {
        if requiresExpiry, claims.end == nil { return .noExpiry }
        if !issuers.isEmpty, !(claims.issuer.map(issuers.contains) ?? false) { return .wrongIssuer }
        if !audiences.isEmpty, audiences.isDisjoint(with: claims.audiences) { return .wrongAudience }
        if let id = claims.id, revoked.contains(id) { return .revoked }
        return nil
    }
}
