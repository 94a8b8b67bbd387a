/// How a signature is made (RFC 7518 §3.1, RFC 8037 §3.1). What is not here, `none` above all, verifies nothing.
enum JWSAlgorithm: String, Sendable, Hashable, CaseIterable {
    /// HMAC-SHA-256: who can verify can sign.
    case hs256 = "HS256"
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    case rs256 = "RS256"
    /// ECDSA on P-256 with SHA-256.
    case es256 = "ES256"
    /// Ed25519.
    case edDSA = "EdDSA"

    /// Reads the name in a token or a key, which is compared to the letter: `NoNe` is as unknown as `hs256`.
    init?(name: String) {
        // RFC 9864 §2.2 gives EdDSA on one curve a name of its own.
        guard let algorithm = name == "Ed25519" ? .edDSA : JWSAlgorithm(rawValue: name) else { return nil }
        self = algorithm
    }
}
