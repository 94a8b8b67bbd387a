import RoundhouseMedia

/// What signatures are verified with; each kind of key has one algorithm, whatever a token would like (RFC 8725 §3.1).
enum KeyMaterial: Sendable, Hashable, Redacted {
    /// A shared secret.
    case secret([UInt8])
    /// The public key of an RSA pair: numbers without leading zeros.
    case rsa(modulus: [UInt8], exponent: [UInt8])
    /// A point of the curve P-256: 32 bytes each.
    case p256(x: [UInt8], y: [UInt8])
    /// The public key of Ed25519: 32 bytes.
    case ed25519([UInt8])

    var algorithm: JWSAlgorithm {
        switch self {
        case .secret: .hs256
        case .rsa: .rs256
        case .p256: .es256
        case .ed25519: .edDSA
        }
    }

    /// What is wrong with it, and what to do; `nil` for a key that can be used.
    var problem: String? {
        switch self {
        case .secret(let bytes):
            if bytes.count < AccessKey.minimumBytes {
                return "a key needs at least \(AccessKey.minimumBytes) bytes: make one with 'openssl rand -hex 32'"
            }
            return bytes.count > 4096 ? "a key has at most 4096 bytes" : nil
        case .rsa(let modulus, let exponent):
            // RFC 7518 §3.3 wants 2048 bits or more. Verifying takes time by their square.
            let bits = modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0)
            guard (2048...8192).contains(bits) else { return "an RSA key has 2048 to 8192 bits, this one \(bits)" }
            guard modulus.last.map({ $0 & 1 == 1 }) == true, exponent.last.map({ $0 & 1 == 1 }) == true,
                exponent.count <= 4, exponent != [1]
            else { return "no RSA key: its numbers have to be odd, and the exponent 3 to 4294967295" }
        case .p256(let x, let y):
            guard x.count == 32, y.count == 32 else { return "a point of P-256 has 32 bytes in x and in y" }
        case .ed25519(let x):
            guard x.count == 32 else { return "a key of Ed25519 has 32 bytes" }
        }
        return SignatureVerifier(self) == nil ? "no key: libcrypto does not take its numbers" : nil
    }
}
