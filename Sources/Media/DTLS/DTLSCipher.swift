import COpenSSL

/// The ciphers with associated data that a suite of DTLS 1.2 may use here. The numbers stand in snapshots.
enum DTLSCipher: UInt8, CaseIterable {
    case aes128GCM = 1
    case aes256GCM = 2
    case chaCha20Poly1305 = 3

    static let tagLength = 16

    var keyLength: Int { self == .aes128GCM ? 16 : 32 }

    /// The part of the nonce that comes from the key block: 4 bytes (RFC 5288 §3), or all 12 (RFC 7905 §2).
    var fixedLength: Int { self == .chaCha20Poly1305 ? 12 : 4 }

    /// The part of the nonce that every record carries.
    var explicitLength: Int { self == .chaCha20Poly1305 ? 0 : 8 }

    /// What a record's fragment is longer than what it holds, in bytes.
    var overhead: Int { explicitLength + Self.tagLength }

    /// By libcrypto's number; `nil` for ciphers that do not authenticate by themselves.
    init?(identifier: Int32) {
        switch identifier {
        case NID_aes_128_gcm: self = .aes128GCM
        case NID_aes_256_gcm: self = .aes256GCM
        case NID_chacha20_poly1305: self = .chaCha20Poly1305
        default: return nil
        }
    }
}
