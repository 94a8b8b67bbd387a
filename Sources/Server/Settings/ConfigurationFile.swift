/// What a configuration file says: the part of YAML that settings need, read so that a YAML reader would find the same in it.
///
/// One `key: value` in a line; a value is plain, in quotes, or a list, as `[a, b]` or as lines with a dash. Anything else that YAML
/// has (anchors, tags, several lines for one text, several documents) is refused rather than read in another way.
struct ConfigurationFile {
    /// A key with what stands behind it.
    struct Entry: Equatable {
        /// Keys that stand deeper are joined by dots, so that they can be named.
        var name: String
        var line: Int
        /// One text, or those of a list.
        var texts: [String]
        var isList: Bool
    }

    /// Why a text is no such file, and where. Never holds a value, which may be a secret.
    struct Problem: Error, Equatable {
        /// From 1, in characters.
        var line: Int
        var column: Int
        var words: String

        /// `line:column: words`.
        var message: String { "\(line):\(column): \(words)" }
    }

    private(set) var entries: [Entry] = []

    init(parsing text: String) throws(Problem) {
        var parser = ConfigurationFileParser(text)
        entries = try parser.entries()
    }
}

/// Reads line by line; a list in brackets may take several.
private struct ConfigurationFileParser {
    private var lines: [ConfigurationLine]
    private var next = 0
    private var found: [ConfigurationFile.Entry] = []
    /// The mappings that are open, the outermost first: how far their keys are indented, and what stands before their names.
    private var levels: [(indent: Int, prefix: String)] = []
    /// Whether the last key has no value yet, so that lines below may give it one.
    private var isOpen = false

    init(_ text: String) {
        // The mark of the order of bytes is not text (YAML 1.2, §5.2).
        let scalars =
            text.unicodeScalars.first == "\u{feff}" ? text.unicodeScalars.dropFirst() : text.unicodeScalars[...]
        lines = scalars.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map { index, line in
            ConfigurationLine(number: index + 1, line.last == "\r" ? line.dropLast() : line)
        }
    }

    mutating func entries() throws(ConfigurationFile.Problem) -> [ConfigurationFile.Entry] {
        var hasBegun = false, hasEnded = false
        while next < lines.count {
            var line = lines[next]
            next += 1
            try line.checkCharacters()
            let indent = line.skip(" ")
            if line.current == "\t", !line.isBlank {
                throw line.problem("a tab before the text: YAML indents with blanks")
            }
            guard !line.isBlank else { continue }
            guard !hasEnded else { throw line.problem("text after the end of the document (...)") }
            if indent == 0, line.isMarker("...") {
                hasEnded = true
            } else if indent == 0, line.isMarker("---") {
                guard !hasBegun, found.isEmpty else { throw line.problem("a second document: only one is read") }
                hasBegun = true
            } else if line.isDash {
                try readItem(&line, indent)
            } else {
                try readKey(&line, indent)
            }
        }
        return found
    }

    private mutating func readKey(_ line: inout ConfigurationLine, _ indent: Int) throws(ConfigurationFile.Problem) {
        try enterLevel(line, indent)
        let column = line.column
        let key = try line.key()
        let name = (levels.last?.prefix ?? "") + key
        if let former = found.first(where: { $0.name == name }) {
            throw line.problem("\(name) is there twice, first in line \(former.line)", at: column)
        }
        found.append(ConfigurationFile.Entry(name: name, line: line.number, texts: [""], isList: false))
        line.skipBlanks()
        isOpen = line.isAtEnd
        guard !isOpen else { return }
        let texts = line.current == "[" ? try readBrackets(&line) : [try line.scalar(inBrackets: false)]
        found[found.count - 1].isList = line.isAfterBrackets
        found[found.count - 1].texts = texts
        try line.end()
    }

    /// Finds the mapping that a key belongs to.
    private mutating func enterLevel(_ line: ConfigurationLine, _ indent: Int) throws(ConfigurationFile.Problem) {
        guard let innermost = levels.last else {
            levels = [(indent, "")]
            return
        }
        if indent > innermost.indent {
            guard isOpen, let parent = found.last, !parent.isList else {
                throw line.problem(
                    "deeper than the line above: a value is written in one line, a key where the others are")
            }
            // It is no setting, but the place of some.
            found.removeLast()
            levels.append((indent, parent.name + "."))
            return
        }
        while let level = levels.last, level.indent > indent { levels.removeLast() }
        guard levels.last?.indent == indent else {
            throw line.problem("neither as deep as the line above nor as a key before it")
        }
    }

    /// One line of a list, below the key that it belongs to and not less deep.
    private mutating func readItem(_ line: inout ConfigurationLine, _ indent: Int) throws(ConfigurationFile.Problem) {
        guard let level = levels.last, isOpen, indent >= level.indent, let entry = found.indices.last else {
            throw line.problem("a list where a key is expected")
        }
        if found[entry].isList {
            guard indent == itemIndent else { throw line.problem("not as deep as the list's first line") }
        } else {
            found[entry].isList = true
            found[entry].texts = []
            itemIndent = indent
        }
        line.advance()
        line.skipBlanks()
        guard !line.isDash, line.current != "[" else { throw line.problem("a list in a list") }
        found[entry].texts.append(line.isAtEnd ? "" : try line.scalar(inBrackets: false))
        try line.end()
    }

    /// How far the dashes of the open list are indented.
    private var itemIndent = 0

    /// From the opening bracket to the closing one, lines below; leaves `line` after it.
    private mutating func readBrackets(_ line: inout ConfigurationLine) throws(ConfigurationFile.Problem) -> [String] {
        let opening = line
        var texts: [String] = []
        var isItemExpected = true
        line.advance()
        while true {
            line.skipBlanks()
            guard !line.isAtEnd else {
                guard next < lines.count else { throw opening.problem("a list without its closing ]") }
                line = lines[next]
                next += 1
                try line.checkCharacters()
                continue
            }
            switch line.current {
            case "]":
                line.advance()
                line.isAfterBrackets = true
                return texts
            case ",":
                guard !isItemExpected else { throw line.problem("a comma without a value before it") }
                isItemExpected = true
                line.advance()
            case "[", "{": throw line.problem("a list or mapping in a list")
            default:
                guard isItemExpected else { throw line.problem("a comma or ] is missing before this") }
                texts.append(try line.scalar(inBrackets: true))
                isItemExpected = false
            }
        }
    }
}
