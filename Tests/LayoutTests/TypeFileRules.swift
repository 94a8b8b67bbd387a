/// A type stands in a file of its name, so that whoever knows the one finds the other.
enum TypeFileRules {
    private static let folders = ["Sources/Gateway", "Sources/Media", "Sources/Rooms", "Sources/Server"]

    static func violations(in file: SourceFile) -> [Violation] {
        guard folders.contains(where: file.isUnder) else { return [] }
        return strangers(in: file).map { line, name in
            Violation(path: file.path, line: line, message: "\(name) needs a file of its name")
        }
    }

    /// At the line's beginning: a type inside another one is indented.
    private static var declaration: Regex<(Substring, Substring)> {
        /(?:@\w+(?:\([^)]*\))? |public |package |internal |final |indirect |nonisolated )*(?:struct|class|enum|actor|protocol) (\w+)/
    }

    /// Types at file level that are not private and whose name is not the file's.
    private static func strangers(in file: SourceFile) -> [(line: Int, name: String)] {
        let stem = file.name.prefix { $0 != "." && $0 != "+" }
        return file.lines.enumerated().compactMap { index, line in
            guard let match = line.prefixMatch(of: declaration), match.1 != stem else { return nil }
            return (index + 1, String(match.1))
        }
    }
}
