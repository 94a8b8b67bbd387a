/// Turns of phrase that slow a reader down; the folders that are rid of them stay so.
enum WordRules {
    /// Folders whose comments and texts are checked; one that is not here yet may join.
    private static let folders = ["Sources/Gateway", "Sources/Media", "Sources/Rooms", "Sources/Server"]
    /// Files of the page are checked line by line.
    static let pages = "Sources/Gateway/Page"

    private static let phrases: [(phrase: String, better: String)] = [
        ("is another", "changed, or is a different one"), ("told", "notified, sent or reported"), ("anew", "again"),
        ("of late", "recently"), ("signalling", "signaling"), ("synchronise", "synchronize"),
        ("behaviour", "behavior"), ("recognise", "recognize"), ("colour", "color"), ("neighbour", "neighbor"),
        ("for ever", "forever"),
    ]

    static func violations(in file: SourceFile) -> [Violation] {
        guard folders.contains(where: file.isUnder) else { return [] }
        let isSwift = file.name.hasSuffix(".swift")
        return file.lines.enumerated().flatMap { index, line in
            violations(inProse: isSwift ? prose(of: line) : line, path: file.path, line: index + 1)
        }
    }

    /// A document is prose in every line.
    static func violations(inDocument text: String, path: String) -> [Violation] {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().flatMap { index, line in
            violations(inProse: String(line), path: path, line: index + 1)
        }
    }

    /// What people read of a test: its name, which is a sentence, and its comments.
    static func violations(inTest file: SourceFile) -> [Violation] {
        // The rules quote what they forbid.
        guard !file.isUnder("Tests/LayoutTests") else { return [] }
        let isSwift = file.name.hasSuffix(".swift")
        return file.lines.enumerated().flatMap { index, line in
            var name: Substring = ""
            var comment: Substring = ""
            if let start = line.firstRange(of: isSwift ? "func `" : "def test_") {
                name = line[start.upperBound...].prefix { $0 != "`" && $0 != "(" }
            }
            for mark in isSwift ? ["//"] : ["# ", "\"\"\""] {
                if let start = line.firstRange(of: mark) { comment = line[start.upperBound...] }
            }
            let sentence = name.prefix(1).uppercased() + name.dropFirst().replacing("_", with: " ")
            return violations(inProse: sentence + " // " + comment, path: file.path, line: index + 1)
        }
    }

    private static func violations(inProse text: String, path: String, line: Int) -> [Violation] {
        // Most lines have nothing to read, and patterns take their time.
        guard text.utf8.contains(where: { $0 > 0x40 }) else { return [] }
        // A name in backquotes, or in an address, is no phrase.
        let words = text.replacing(/`[^`]*`|https?:\S*/) { _ in "``" }
        var found = phrases.filter { Words.contains($0.phrase, in: words) }.map {
            Violation(path: path, line: line, message: "\"\($0.phrase)\": say \($0.better)")
        }
        // "Who waits is served" has the reader look for a question.
        if words.contains(/(?:^|[\/*.:|"'] *)Who [a-z]/), !words.contains("?") {
            found.append(Violation(path: path, line: line, message: "a sentence begins with \"Who\": name its subject"))
        }
        // "Throws: where …" has the reader look for a place. Media is not rid of them yet.
        if !path.hasPrefix("Sources/Media/"), text.holds(" where"),
            text.contains(/(?:`nil`|Throws:|absent|empty) where\b/)
        {
            found.append(Violation(path: path, line: line, message: "\"where\" for a condition: say if"))
        }
        return found
    }

    /// What a line of code says to people: its comment, and its texts in quotes.
    private static func prose(of line: String) -> String {
        let texts =
            line.utf8.contains(UInt8(ascii: "\""))
            ? line.matches(of: /"([^"]*)"/).map { String($0.1) }.joined(separator: " ") : ""
        guard let start = line.firstRange(of: "//"), !line[..<start.lowerBound].hasSuffix(":") else { return texts }
        return texts + " // " + line[start.upperBound...]
    }
}
