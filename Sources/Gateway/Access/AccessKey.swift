/// What tokens are verified with: a secret (HMAC-SHA-256, RFC 7518 §3.2) shared by the server and whoever makes them, or the
/// public key of who makes them.
public struct AccessKey: Sendable, Hashable {
    /// What a token's header names it by (`kid`); `nil` for a key without name.
    public let id: String?
    let material: KeyMaterial

    /// HS256 wants a key as long as its result (RFC 7518 §3.2).
    public static let minimumBytes = 32

    /// Whether tokens can be made with it, too.
    public var canSign: Bool { material.algorithm == .hs256 }

    /// Why a text is no key. Never holds the text.
    public struct Problem: Error, Sendable, Hashable {
        /// What is wrong and what to do.
        public let message: String
    }

    init(id: String?, material: KeyMaterial) {
        self.id = id
        self.material = material
    }

    /// Reads `secret` or `kid:secret`.
    public init(_ text: String) throws(Problem) {
        // A key that everybody may know must never become the secret that signs (RFC 8725 §2.1).
        guard !PublicKeyPEM.isPEM(text), !Self.isJWK(text) else {
            throw Problem(message: "PEM and JWK are read from a file: see auth-key-file")
        }
        guard !Self.isSSHKey(text) else {
            throw Problem(message: "a public key of SSH is no secret: write it as PEM into the auth-key-file")
        }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        var id: String?
        if parts.count == 2 {
            let name = String(parts[0])
            guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(Self.isNameByte) else {
                throw Problem(message: "the name before the colon has to be 1 to 64 of a-z, A-Z, 0-9, '.', '_', '-'")
            }
            id = name
        }
        material = .secret(Array((parts.last ?? "").utf8))
        self.id = id
        if let problem = material.problem { throw Problem(message: problem) }
    }

    /// Reads a file: public keys in PEM, a JWK or a set of them in JSON, or else a secret in each line, where blank lines and
    /// those that begin with `#` are left out.
    public static func keys(inFile text: String) throws(Problem) -> [AccessKey] {
        // The mark that editors of Windows put before a text (RFC 8259 §8.1) belongs to none of these.
        let text = text.unicodeScalars.first == "\u{feff}" ? String(text.unicodeScalars.dropFirst()) : text
        let lines = text.trimmedLines
        if lines.contains(where: { PublicKeyPEM.isPEM($0) && !$0.hasPrefix("#") }) {
            return try PublicKeyPEM.keys(text)
        }
        if isJWK(text) { return try JSONWebKey.keys(text) }
        var keys: [AccessKey] = []
        for (number, line) in lines.enumerated() {
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            do throws(Problem) {
                keys.append(try AccessKey(String(line)))
            } catch {
                throw Problem(message: "line \(number + 1): \(error.message)")
            }
        }
        return keys
    }

    /// Whether a text is meant as JSON with keys, even one that is cut short; a secret may begin with a brace.
    private static func isJWK(_ text: String) -> Bool { text.contains("\"kty\"") || text.contains("\"keys\"") }

    /// Whether a text is a line of `authorized_keys`, after a name at most.
    private static func isSSHKey(_ text: String) -> Bool {
        ["ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-nistp256 "].contains { text.contains($0) }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

extension String {
    /// Each without blanks at its ends. What ends a line of Windows is one character, which is not equal to "\n".
    var trimmedLines: [Substring] {
        split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.map(\.trimmed)
    }
}

extension Substring {
    /// Without spaces, tabs and carriage returns at its ends.
    var trimmed: Substring {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" || character == "\r" }
        var text = drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}
