/// An attribute line: a name, and a value if there is a colon (RFC 8866 §5.13).
struct SDPAttribute: Sendable, Hashable {
    /// Counted from 1; 0 in descriptions of our own making, and of no weight in comparisons.
    var line = 0
    var name: String
    var value: String?

    init(_ name: String, _ value: String? = nil, line: Int = 0) {
        self.name = name
        self.value = value
        self.line = line
    }

    var text: String { value.map { "a=\(name):\($0)" } ?? "a=\(name)" }

    func failure(_ message: String) -> SDPError { SDPError(line: line, "a=\(name)", message) }

    static func == (a: SDPAttribute, b: SDPAttribute) -> Bool { a.name == b.name && a.value == b.value }

    func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(value)
    }
}

extension SDPAttribute {
    init(_ line: SDPLine) throws(SDPError) {
        let name = line.value.prefix { $0 != ":" }
        guard !name.isEmpty, name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw SDPError(line: line.number, "a=", "the attribute's name is not a token")
        }
        let rest = line.value[name.endIndex...]
        self.init(String(name), rest.isEmpty ? nil : String(rest.dropFirst()), line: line.number)
    }
}
