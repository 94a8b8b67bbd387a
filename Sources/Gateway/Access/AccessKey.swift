import Media

/// A secret that tokens are signed with (HMAC-SHA-256, RFC 7518 §3.2), shared by the server and whoever makes them.
public struct AccessKey: Sendable, Hashable {
    /// What a token's header names it by (`kid`); `nil` for a key without name.
    public let id: String?
    let secret: Secret

    /// HS256 wants a key as long as its result (RFC 7518 §3.2).
    public static let minimumBytes = 32

    /// Why a text is no key. Never holds the text.
    public struct Problem: Error, Sendable, Hashable {
        /// What is wrong and what to do.
        public let message: String
    }

    /// Reads `secret` or `kid:secret`.
    public init(_ text: String) throws(Problem) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        var id: String?
        if parts.count == 2 {
            let name = String(parts[0])
            guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(Self.isNameByte) else {
                throw Problem(message: "the name before the colon has to be 1 to 64 of a-z, A-Z, 0-9, '.', '_', '-'")
            }
            id = name
        }
        guard let secret = parts.last, secret.utf8.count >= Self.minimumBytes else {
            throw Problem(
                message: "a key needs at least \(Self.minimumBytes) bytes: make one with 'openssl rand -hex 32'")
        }
        guard secret.utf8.count <= 4096 else { throw Problem(message: "a key has at most 4096 bytes") }
        self.id = id
        self.secret = Secret(String(secret))
    }

    /// Reads a file's lines: a key each; blank lines and those that begin with `#` are left out.
    public static func keys(inFile text: String) throws(Problem) -> [AccessKey] {
        var keys: [AccessKey] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.trimmed
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            do throws(Problem) {
                keys.append(try AccessKey(String(line)))
            } catch {
                throw Problem(message: "line \(number + 1): \(error.message)")
            }
        }
        return keys
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

extension Substring {
    /// Without spaces, tabs and carriage returns at its ends.
    var trimmed: Substring {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" || character == "\r" }
        var text = drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}
