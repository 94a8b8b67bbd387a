/// A certificate fingerprint (RFC 8122 §5).
public struct DTLSFingerprint: Sendable, Hashable {
    /// The digests RFC 8122 §5 names and WebRTC clients use.
    public enum Algorithm: String, Sendable, Hashable, CaseIterable {
        case sha1 = "sha-1"
        case sha224 = "sha-224"
        case sha256 = "sha-256"
        case sha384 = "sha-384"
        case sha512 = "sha-512"

        /// The digest's length in bytes.
        public var length: Int {
            switch self {
            case .sha1: 20
            case .sha224: 28
            case .sha256: 32
            case .sha384: 48
            case .sha512: 64
            }
        }
    }

    /// The digest that was used.
    public let algorithm: Algorithm
    /// The digest itself, in bytes.
    public let value: [UInt8]

    /// Takes any bytes; a value that is not the digest's length matches no certificate.
    public init(algorithm: Algorithm, value: [UInt8]) {
        self.algorithm = algorithm
        self.value = value
    }

    /// Parses "AA:BB:…", any case. `nil` when it is not the digest's length in hexadecimal pairs.
    public init?(algorithm: Algorithm, text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == algorithm.length else { return nil }
        var value: [UInt8] = []
        for part in parts {
            guard part.utf8.count == 2, let byte = UInt8(part, radix: 16) else { return nil }
            value.append(byte)
        }
        self.init(algorithm: algorithm, value: value)
    }

    /// "AA:BB:…" in upper case.
    public var text: String {
        value.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) }.joined(separator: ":")
    }
}
