/// A query whose every parameter is known, given once and valid.
struct StateQuery {
    struct Invalid: Error {
        let message: String
    }

    private var values: [String: String] = [:]

    init(_ target: RequestTarget, allowed: [String]) throws(Invalid) {
        for (name, value) in target.query {
            guard allowed.contains(name) else {
                let known = allowed.isEmpty ? "it takes none" : "it takes " + allowed.joined(separator: ", ")
                throw Invalid(message: "this path has no such query parameter; \(known)")
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw Invalid(message: "\(name): given more than once")
            }
        }
    }

    /// - Throws: for more than 256 characters (Unicode scalars).
    func text(_ name: String) throws(Invalid) -> String? {
        guard let text = values[name] else { return nil }
        guard text.unicodeScalars.count <= 256 else { throw Invalid(message: "\(name): longer than 256 characters") }
        return text
    }

    func number(_ name: String, _ range: ClosedRange<Int>, default fallback: Int) throws(Invalid) -> Int {
        guard let text = values[name] else { return fallback }
        guard (1...10).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }),
            let number = Int(text), range.contains(number)
        else { throw Invalid(message: "\(name): not a number from \(range.lowerBound) to \(range.upperBound)") }
        return number
    }

    func flag(_ name: String) throws(Invalid) -> Bool? {
        switch values[name] {
        case nil: nil
        case "true": true
        case "false": false
        default: throw Invalid(message: "\(name): neither true nor false")
        }
    }

    func choice<Choice: RawRepresentable<String>>(_ name: String, of choices: [Choice]) throws(Invalid) -> Choice? {
        guard let text = values[name] else { return nil }
        guard let choice = choices.first(where: { $0.rawValue == text }) else {
            throw Invalid(message: "\(name): none of " + choices.map(\.rawValue).joined(separator: ", "))
        }
        return choice
    }

    /// A page of a list by `limit` and `offset`.
    func page() throws(Invalid) -> StatePage {
        StatePage(
            limit: try number("limit", 1...1000, default: 100),
            offset: try number("offset", 0...1_000_000_000, default: 0))
    }
}
