// Safe: arrays are read while they are held.

/// What a client shows to the TURN server: good until the time that its username begins with (draft-uberti-behave-turn-rest-00 §2.2),
/// and made from a secret that several servers may share.
package struct TURNCredential: Sendable, Redacted {
    /// `<seconds since 1970>:<holder>`.
    package let username: String
    /// base64(HMAC-SHA1(secret, username)).
    package let password: Secret

    /// - Parameters:
    ///   - holder: whose allocations it makes: letters, digits, `-` and `_`.
    ///   - expiry: in seconds since 1970.
    package init(holder: String, expiry: Int64, secret: Secret) {
        username = "\(expiry):\(holder)"
        password = Secret(Self.password(of: username, secret))
    }

    static func password(of username: String, _ secret: Secret) -> String {
        base64(code(of: Array(username.utf8), secret.revealed))
    }

    /// HMAC-SHA1.
    static func code(of bytes: [UInt8], _ key: String) -> [UInt8] {
        let digest = unsafe bytes.withUnsafeBytes { unsafe HMACSHA1Key(password: key).authenticationCode(of: $0) }
        return (0..<SHA1.digestLength).map { digest[$0] }
    }

    /// When a username's time is over, in seconds since 1970; `nil` if it has no such form.
    static func expiry(of username: String) -> Int64? {
        guard let colon = username.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let digits = username[..<colon]
        guard (1...12).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int64(digits)
    }

    /// Whom a username names.
    static func holder(of username: String) -> String {
        username.firstIndex(of: ":").map { String(username[username.index(after: $0)...]) } ?? username
    }

    /// The key of a long-term credential (RFC 8489 §9.2.2).
    static func key(username: String, realm: String, password: String) -> HMACSHA1Key {
        let digest = MD5.digest(of: Array("\(username):\(realm):\(password)".utf8))
        return unsafe digest.withUnsafeBytes { unsafe HMACSHA1Key($0) }
    }

    /// RFC 4648 §4.
    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            let bits = part.enumerated().reduce(0) { $0 | Int($1.element) << (16 - 8 * $1.offset) }
            for index in 0..<4 { text.append(index <= part.count ? alphabet[bits >> (18 - 6 * index) & 63] : "=") }
        }
        return text
    }
}
