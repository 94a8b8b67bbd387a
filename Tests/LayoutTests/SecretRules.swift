/// What holds a secret does not print it: a stored text by one of these names is a `Secret`, or its type is `Redacted`.
enum SecretRules {
    /// Names of what nobody may see, as properties and as labels of an enumeration's values.
    private static let names: Set<Substring> = [
        "password", "icePassword", "token", "accessToken", "adminToken", "secret", "authKey", "authorization", "pid",
        "sid", "keyBase64", "encryptionKey", "authenticationKey", "salt", "query",
    ]
    private static let types = ["String", "Substring", "[UInt8]", "[String]", "ArraySlice<UInt8>", "[(name"]
    private static let kinds: Set<Substring> = ["struct", "class", "enum", "actor"]

    static func violations(in files: [SourceFile]) -> [Violation] {
        let redacted = redactedTypes(of: files)
        return files.flatMap { file in
            let code = file.code
            return code.enumerated().compactMap { index, line -> Violation? in
                guard let name = secretName(in: line.text), let type = enclosingType(of: index, in: code),
                    !redacted.contains(type)
                else { return nil }
                return Violation(
                    path: file.path, line: line.number,
                    message: "\(type).\(name) would be printed with \(type): let it be a Secret, or \(type) Redacted")
            }
        }
    }

    /// A type may be made `Redacted` in another file.
    private static func redactedTypes(of files: [SourceFile]) -> Set<String> {
        var types: Set<String> = []
        for file in files {
            for (_, text) in file.code where text.contains("Redacted") {
                let words = words(of: text, and: ".")
                guard let kind = words.firstIndex(where: { kinds.contains($0) || $0 == "extension" }),
                    kind + 1 < words.count, words[(kind + 1)...].contains("Redacted")
                else { continue }
                if let last = words[kind + 1].split(separator: ".").last { types.insert(String(last)) }
            }
        }
        return types
    }

    private static func words(of text: some StringProtocol, and more: Character? = nil) -> [Substring] {
        Substring(text).split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == more) }
    }

    private static func secretName(in text: String) -> String? {
        guard text.contains(":") else { return nil }
        let isCase = text.contains("case ")
        // A computed property stores nothing.
        guard isCase || !(text.hasSuffix("{") || text.hasSuffix("}")) else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (part, next) in zip(parts, parts.dropFirst()) {
            let words = words(of: part)
            guard let name = words.last, names.contains(name) else { continue }
            guard types.contains(where: next.drop(while: { $0 == " " }).hasPrefix) else { continue }
            if isCase || words.dropLast().last == "let" || words.dropLast().last == "var" { return String(name) }
        }
        return nil
    }

    /// The type whose member a line is; `nil` for what is inside a function.
    private static func enclosingType(of index: Int, in code: [(number: Int, text: String)]) -> String? {
        func indent(_ text: String) -> Int { text.prefix { $0 == " " }.count }
        let own = indent(code[index].text)
        for (_, text) in code[..<index].reversed() where text.contains(where: { $0 != " " }) && indent(text) < own {
            let words = words(of: text)
            guard let kind = words.firstIndex(where: kinds.contains), kind + 1 < words.count else { return nil }
            return String(words[kind + 1])
        }
        return nil
    }
}
