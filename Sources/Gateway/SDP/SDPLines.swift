/// The lines of a text, within bounds that no real description reaches.
enum SDPLines {
    static let maximumLines = 2000
    /// A format parameter with an H.264 parameter set is the longest real line.
    static let maximumLength = 4096

    /// Lines end with CRLF, or with LF alone as RFC 8866 §5 asks parsers to bear.
    static func read(_ bytes: some Collection<UInt8>) throws(SDPError) -> [SDPLine] {
        var lines: [SDPLine] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let number = lines.count + 1
            guard number <= maximumLines else {
                throw SDPError(line: number, "description", "more than \(maximumLines) lines")
            }
            var content = rest.prefix { $0 != UInt8(ascii: "\n") }
            rest = rest[content.endIndex...].dropFirst()
            guard content.count <= maximumLength else {
                throw SDPError(line: number, "description", "a line of more than \(maximumLength) bytes")
            }
            if let last = content.reversed().first, last == UInt8(ascii: "\r") { content = content.dropLast() }
            // Empty lines at the end are an editor's or a template's; only another line behind makes one wrong.
            if content.isEmpty, rest.allSatisfy(isLineBreak) { break }
            lines.append(try line(content, number))
        }
        return lines
    }

    private static func isLineBreak(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

    private static func line(_ content: some Collection<UInt8>, _ number: Int) throws(SDPError) -> SDPLine {
        guard let type = content.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(type),
            content.dropFirst().first == UInt8(ascii: "=")
        else { throw SDPError(line: number, "line", "not a lower-case letter and \"=\"") }
        let letter = Character(Unicode.Scalar(type))
        let value = content.dropFirst(2)
        guard !value.contains(where: { $0 == 0 || $0 == UInt8(ascii: "\r") }) else {
            throw SDPError(line: number, "\(letter)=", "holds a NUL or a carriage return")
        }
        guard let text = String(validating: value, as: UTF8.self) else {
            throw SDPError(line: number, "\(letter)=", "not UTF-8")
        }
        return SDPLine(number: number, type: letter, value: text)
    }
}
