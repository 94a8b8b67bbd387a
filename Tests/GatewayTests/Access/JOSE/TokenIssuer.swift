import COpenSSL
import Testing

@testable import RoundhouseGateway

/// Somebody who makes tokens, honest or not: a key pair of libcrypto's own making, and whatever header and claims one likes.
// Sendable: the key is only read once it is made, which libcrypto allows from any thread.
// Safe: the key is freed once, with the last reference to this object; pointers into arrays are used within their calls.
final class TokenIssuer: @unchecked Sendable, CustomStringConvertible {
    let algorithm: JWSAlgorithm
    private let pair: OpaquePointer

    static let all: [TokenIssuer] = JWSAlgorithm.allCases.compactMap { try? TokenIssuer($0) }
    private static let secret = Array("0123456789abcdef0123456789abcdef".utf8)

    /// - Parameter bits: of an RSA key.
    init(_ algorithm: JWSAlgorithm, bits: Int32 = 2048) throws {
        self.algorithm = algorithm
        guard algorithm != .hs256 else {
            pair = try #require(EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, nil, Self.secret, Self.secret.count))
            return
        }
        let type = algorithm == .rs256 ? EVP_PKEY_RSA : algorithm == .es256 ? EVP_PKEY_EC : EVP_PKEY_ED25519
        let context = try #require(EVP_PKEY_CTX_new_id(type, nil))
        defer { EVP_PKEY_CTX_free(context) }
        try #require(EVP_PKEY_keygen_init(context) == 1)
        if algorithm == .rs256 { try #require(EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits) == 1) }
        if algorithm == .es256 {
            try #require(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1)
        }
        var pair: OpaquePointer?
        try #require(EVP_PKEY_keygen(context, &pair) == 1)
        self.pair = try #require(pair)
    }

    deinit { EVP_PKEY_free(pair) }

    var description: String { algorithm.rawValue }

    /// The public half in PEM.
    func pem() throws -> String {
        let sink = try #require(BIO_new(BIO_s_mem()))
        defer { BIO_free(sink) }
        try #require(PEM_write_bio_PUBKEY(sink, pair) == 1)
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = BIO_read(sink, &bytes, 4096)
        return String(decoding: bytes.prefix(Int(count)), as: UTF8.self)
    }

    /// What a server that believes this issuer has; read from PEM where it is a public key.
    func key(_ id: String? = nil) throws -> AccessKey {
        guard algorithm != .hs256 else { return AccessKey(id: id, material: .secret(Self.secret)) }
        let name = id.map { "kid: \($0)\n" } ?? ""
        return try #require(AccessKey.keys(inFile: name + pem()).first)
    }

    /// A token, whose header has this issuer's algorithm where `header` says no other.
    func token(_ claims: String, header: String? = nil) throws -> String {
        let signed =
            Self.encoded(header ?? #"{"alg":"\#(algorithm.rawValue)","typ":"JWT"}"#) + "." + Self.encoded(claims)
        return try signed + "." + Self.encoded(signature(of: Array(signed.utf8)))
    }

    static func encoded(_ text: String) -> String { encoded(Array(text.utf8)) }
    static func encoded(_ bytes: [UInt8]) -> String { String(decoding: Base64URL.encode(bytes), as: UTF8.self) }

    /// As RFC 7518 and RFC 8037 write it.
    func signature(of signed: [UInt8]) throws -> [UInt8] {
        let context = try #require(EVP_MD_CTX_new())
        defer { EVP_MD_CTX_free(context) }
        let digest = algorithm == .edDSA ? nil : EVP_sha256()
        try #require(EVP_DigestSignInit(context, nil, digest, nil, pair) == 1)
        var signature = [UInt8](repeating: 0, count: 2048)
        var count = signature.count
        try #require(EVP_DigestSign(context, &signature, &count, signed, signed.count) == 1)
        signature.removeLast(signature.count - count)
        return algorithm == .es256 ? try Self.numbers(ofDER: signature) : signature
    }

    /// The two numbers of a signature in DER, 32 bytes each.
    private static func numbers(ofDER signature: [UInt8]) throws -> [UInt8] {
        // 30 LEN 02 LEN r… 02 LEN s…
        let first = Int(signature[3])
        let r = signature[4..<4 + first], s = signature[(6 + first)...]
        return [r, s].flatMap { number in
            let digits = number.drop { $0 == 0 }
            return [UInt8](repeating: 0, count: 32 - digits.count) + digits
        }
    }

    /// The same signature as DER, which many libraries write and RFC 7518 §3.4 does not.
    static func der(_ signature: [UInt8]) -> [UInt8] {
        var body: [UInt8] = []
        for number in [signature[..<32], signature[32...]] {
            var digits = Array(number.drop { $0 == 0 })
            if (digits.first ?? 0) >= 0x80 { digits.insert(0, at: 0) }
            body += [2, UInt8(digits.count)] + digits
        }
        return [0x30, UInt8(body.count)] + body
    }
}
