/// Who may import what: the arrows between modules and the few places that may touch C, the system or swift-nio.
enum ImportRules {
    static func violations(in file: SourceFile) -> [Violation] {
        imports(of: file).compactMap { line, module in
            complaint(about: module, in: file).map { Violation(path: file.path, line: line, message: $0) }
        }
    }

    /// Modules named by import declarations, whatever attributes and access levels stand before them.
    static func imports(of file: SourceFile) -> [(line: Int, module: String)] {
        file.code.compactMap { number, text in
            let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let position = words.firstIndex(of: "import"), position + 1 < words.count else { return nil }
            let isDeclaration = words[..<position].allSatisfy {
                $0.hasPrefix("@") || ["public", "package", "internal", "fileprivate", "private"].contains($0)
            }
            guard isDeclaration else { return nil }
            let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
            var name = words[position + 1]
            if kinds.contains(name), position + 2 < words.count { name = words[position + 2] }
            return (number, name.split(separator: ".").first.map(String.init) ?? name)
        }
    }

    private static let system: Set<String> = ["Glibc", "Musl", "Dispatch"]
    /// Where C is used. Anywhere else Media is wire formats and machines: values in, values out.
    private static let cLibraries: [String: [String]] = [
        // HTTPS and the signatures of tokens are the work of the libraries that DTLS and SRTP link anyway.
        "COpenSSL": [
            "Sources/Media/DTLS", "Sources/Media/SRTP", "Sources/Gateway/Access/JOSE", "Sources/Gateway/TLS",
        ],
        // What ours is compared with.
        "CSRTP": ["Tests/MediaTests/SRTP"], "CUSRSCTP": ["Tests/MediaTests/SCTP"],
        "CIPSecMB": ["Sources/Media/SRTP"], "CLinuxNet": ["Sources/Media/Network"],
    ]
    /// Where Media reaches the system; DTLS reads the certificate's files.
    private static let systemFolders = ["Sources/Media/Network", "Sources/Media/DTLS"]

    private static func complaint(about module: String, in file: SourceFile) -> String? {
        if let reversed = reversedArrow(to: module, in: file) { return reversed }
        if module.hasPrefix("NIO"), !file.isUnder("Sources/Gateway") { return "only Gateway may import \(module)" }
        if module.hasPrefix("Foundation"), file.isUnder("Sources/Media") { return "Media does not use \(module)" }
        if module == "CNGHTTP2", !file.isUnder("Sources/Gateway/HTTP2") {
            return "CNGHTTP2 belongs to Sources/Gateway/HTTP2"
        }
        if module.hasPrefix("C"), let folders = cLibraries[module], !file.isUnder("Sources/CShims"),
            !folders.contains(where: file.isUnder)
        {
            return "\(module) may be imported only in \(folders.joined(separator: " and "))"
        }
        if system.contains(module), file.isUnder("Sources/Media"),
            !systemFolders.contains(where: file.isUnder)
        {
            return "wire formats and machines do not reach the system (\(module))"
        }
        return nil
    }

    private static func reversedArrow(to module: String, in file: SourceFile) -> String? {
        let forbidden: [String: Set<String>] = [
            "Media": ["RoundhouseRooms", "RoundhouseGateway", "Server", "Logging"],
            "Rooms": ["RoundhouseGateway", "Server"],
            "Gateway": ["Server"],
        ]
        guard let own = file.module, forbidden[own]?.contains(module) == true else { return nil }
        return "\(own) must not know \(module): the arrows are Gateway → Rooms → Media"
    }
}
