/// One line of a configuration file, and how far it is read.
struct ConfigurationLine {
    typealias Problem = ConfigurationFile.Problem

    let number: Int
    private let scalars: [Unicode.Scalar]
    private var offset = 0
    /// Whether what was read last was a list in brackets.
    var isAfterBrackets = false

    init(number: Int, _ text: Substring.UnicodeScalarView) {
        self.number = number
        scalars = Array(text)
    }

    var current: Unicode.Scalar? { offset < scalars.count ? scalars[offset] : nil }
    private var following: Unicode.Scalar? { offset + 1 < scalars.count ? scalars[offset + 1] : nil }
    var column: Int { offset + 1 }

    func problem(_ words: String, at column: Int? = nil) -> Problem {
        Problem(line: number, column: column ?? self.column, words: words)
    }

    mutating func advance() { offset += 1 }

    /// - Returns: how many there were.
    mutating func skip(_ scalar: Unicode.Scalar) -> Int {
        let start = offset
        while current == scalar { offset += 1 }
        return offset - start
    }

    mutating func skipBlanks() { while Self.isBlank(current) { offset += 1 } }

    /// Whether nothing but a comment is left, which begins the line or stands behind a blank.
    var isAtEnd: Bool {
        guard let current else { return true }
        return current == "#" && (offset == 0 || Self.isBlank(scalars[offset - 1]))
    }

    /// The same, blanks aside.
    var isBlank: Bool {
        var rest = self
        rest.skipBlanks()
        return rest.isAtEnd
    }

    /// Whether a dash stands here for one of a list's lines.
    var isDash: Bool { current == "-" && (following == nil || Self.isBlank(following)) }

    /// Whether the line is this marker and nothing else.
    func isMarker(_ marker: String) -> Bool {
        guard scalars.starts(with: marker.unicodeScalars) else { return false }
        var rest = self
        rest.offset = marker.unicodeScalars.count
        return rest.current == nil || Self.isBlank(rest.current) && rest.isBlank
    }

    /// What no YAML has (§5.1): a file of another kind.
    func checkCharacters() throws(Problem) {
        for (index, scalar) in scalars.enumerated() where scalar != "\t" {
            // Beside those of ASCII the ones of Latin-1; NEL among them is a line's end for YAML 1.1, and for 1.2 it is none.
            if scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) {
                throw problem("a control character", at: index + 1)
            }
        }
    }

    /// Nothing but blanks and a comment may be left.
    mutating func end() throws(Problem) {
        let isAfterBlank = Self.isBlank(current)
        skipBlanks()
        guard !isAtEnd else { return }
        throw problem(
            current == "#" && !isAfterBlank ? "a comment needs a blank before it" : "text behind the value")
    }

    // MARK: Keys and values

    /// Reads a key and its colon.
    mutating func key() throws(Problem) -> String {
        let start = offset
        var name: String
        if current == "'" || current == "\"" {
            name = try quoted()
            skipBlanks()
            guard current == ":" else { throw problem("a ':' is missing behind the key") }
        } else {
            try checkStart(inBrackets: false)
            while current != nil, !isColon(inBrackets: false), !isAtEnd { offset += 1 }
            guard current == ":" else { throw problem("a key without ': ' and a value", at: start + 1) }
            name = String(String.UnicodeScalarView(scalars[start..<offset]))
            while let last = name.unicodeScalars.last, Self.isBlank(last) { name.unicodeScalars.removeLast() }
        }
        offset += 1
        guard current == nil || Self.isBlank(current) else { throw problem("a blank is missing behind the ':'") }
        guard !name.isEmpty else { throw problem("a value without a key", at: start + 1) }
        return name
    }

    /// Reads one text, plain or in quotes.
    mutating func scalar(inBrackets: Bool) throws(Problem) -> String {
        if current == "'" || current == "\"" { return try quoted() }
        try checkStart(inBrackets: inBrackets)
        let start = offset
        var end = offset
        while let scalar = current, !isAtEnd {
            if inBrackets, Self.brackets.contains(scalar) { break }
            guard !isColon(inBrackets: inBrackets) else {
                throw problem("': ' in a value: write the value in quotes")
            }
            offset += 1
            if !Self.isBlank(scalar) { end = offset }
        }
        offset = end
        let text = String(String.UnicodeScalarView(scalars[start..<end]))
        // No text for YAML (1.2, §10.3.2), and no value for any setting.
        if ["~", "null", "Null", "NULL"].contains(text) {
            throw problem("no value: leave the setting away, or write the text in quotes", at: start + 1)
        }
        return text
    }

    private static let brackets: [Unicode.Scalar] = [",", "[", "]", "{", "}"]

    /// Whether a colon stands here that ends a key.
    private func isColon(inBrackets: Bool) -> Bool {
        guard current == ":" else { return false }
        guard let following else { return true }
        return Self.isBlank(following) || inBrackets && Self.brackets.contains(following)
    }

    /// Refuses what means something else at the beginning of a plain text (YAML 1.2, §7.3.3).
    private func checkStart(inBrackets: Bool) throws(Problem) {
        switch current {
        case "&", "*", "!", "|", ">", "{", "[", "]", "}", ",", "%", "@", "`", "#":
            throw problem("this begins something that is not read here: write the text in quotes")
        case "-", "?", ":":
            let isAlone = following == nil || Self.isBlank(following)
            guard !isAlone, !(inBrackets && Self.brackets.contains(following ?? ",")) else {
                throw problem("this begins something that is not read here: write the text in quotes")
            }
        default: break
        }
    }

    private static func isBlank(_ scalar: Unicode.Scalar?) -> Bool { scalar == " " || scalar == "\t" }

    // MARK: Quotes

    /// Reads a text in quotes, all of which has to be in this line.
    private mutating func quoted() throws(Problem) -> String {
        let opening = self
        let quote = current
        var text = String.UnicodeScalarView()
        offset += 1
        while let scalar = current {
            offset += 1
            if scalar == quote {
                // In single quotes, one that is doubled stands for itself.
                guard quote == "'", current == "'" else { return String(text) }
                offset += 1
                text.append("'")
            } else if scalar == "\\", quote == "\"" {
                text.append(try escaped())
            } else {
                text.append(scalar)
            }
        }
        throw opening.problem("the closing quote is missing in this line")
    }

    /// What stands behind a backslash (YAML 1.2, §5.7).
    private mutating func escaped() throws(Problem) -> Unicode.Scalar {
        let place = offset
        let letter = current
        offset += 1
        switch letter {
        case "\\", "\"", "/", " ", "\t": return letter ?? " "
        case "0": return "\0"
        case "a": return "\u{7}"
        case "b": return "\u{8}"
        case "t": return "\t"
        case "n": return "\n"
        case "v": return "\u{b}"
        case "f": return "\u{c}"
        case "r": return "\r"
        case "e": return "\u{1b}"
        case "N": return "\u{85}"
        case "_": return "\u{a0}"
        case "L": return "\u{2028}"
        case "P": return "\u{2029}"
        case "x", "u", "U":
            let count = letter == "x" ? 2 : letter == "u" ? 4 : 8
            let digits = scalars[offset...].prefix(count)
            guard digits.count == count, digits.allSatisfy({ $0.properties.isASCIIHexDigit }),
                let value = UInt32(String(String.UnicodeScalarView(digits)), radix: 16),
                let scalar = Unicode.Scalar(value)
            else { throw problem("no character has this number", at: place + 1) }
            offset += count
            return scalar
        default: throw problem("an escape that is not known: write the value in single quotes", at: place + 1)
        }
    }
}
