import RoundhouseMedia
import RoundhouseRooms

/// A request's JSON object whose every field is known and valid.
struct StateBody {
    typealias Invalid = StateQuery.Invalid

    private let fields: [String: JSONValue]

    /// - Parameter allowed: the fields there may be. An empty body is an object without any.
    init(_ bytes: [UInt8], allowed: [String]) throws(Invalid) {
        guard !bytes.isEmpty else {
            fields = [:]
            return
        }
        guard case .object(let fields)? = try? JSONValue(parsing: bytes) else {
            throw Invalid(message: "the body: not a JSON object")
        }
        if let other = fields.keys.filter({ !allowed.contains($0) }).min() {
            let known = allowed.isEmpty ? "there is none" : "there are " + allowed.joined(separator: ", ")
            throw Invalid(message: "\(Self.shown(other)): no such field; \(known)")
        }
        self.fields = fields
    }

    /// A name of a client's, cut to what a message can have.
    private static func shown(_ name: String) -> String {
        String(String.UnicodeScalarView(name.unicodeScalars.prefix(64)))
    }

    func has(_ name: String) -> Bool { fields[name] != nil }

    func isNull(_ name: String) -> Bool { fields[name] == .null }

    /// - Throws: for more than `limit` characters (Unicode scalars), none, or NUL.
    func text(_ name: String, limit: Int = 256) throws(Invalid) -> String? {
        guard let value = fields[name] else { return nil }
        guard case .string(let text) = value else { throw Invalid(message: "\(name): not a string") }
        guard Self.isValid(text, limit) else {
            throw Invalid(message: "\(name): has to be 1 to \(limit) characters, none of them NUL")
        }
        return text
    }

    private static func isValid(_ text: String, _ limit: Int) -> Bool {
        (1...limit).contains(text.unicodeScalars.count) && !text.unicodeScalars.contains("\0")
    }

    func flag(_ name: String) throws(Invalid) -> Bool? {
        guard let value = fields[name] else { return nil }
        guard case .bool(let flag) = value else { throw Invalid(message: "\(name): neither true nor false") }
        return flag
    }

    func number(_ name: String, _ range: ClosedRange<Int>) throws(Invalid) -> Int? {
        guard let value = fields[name] else { return nil }
        guard case .integer(let number) = value, let result = Int(exactly: number), range.contains(result) else {
            throw Invalid(message: "\(name): not a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return result
    }

    /// Strings of 1 to 64 characters.
    func texts(_ name: String, limit: Int) throws(Invalid) -> [String]? {
        guard let value = fields[name] else { return nil }
        guard case .array(let items) = value, items.count <= limit else {
            throw Invalid(message: "\(name): not a list of at most \(limit) strings")
        }
        return try items.map { (item) throws(Invalid) in
            guard case .string(let text) = item, Self.isValid(text, 64) else {
                throw Invalid(message: "\(name): not a list of strings of 1 to 64 characters, none of them NUL")
            }
            return text
        }
    }

    /// - Throws: for more than `limit` bytes as JSON.
    func object(_ name: String, limit: Int) throws(Invalid) -> JSONValue? {
        guard let value = fields[name] else { return nil }
        guard case .object = value else { throw Invalid(message: "\(name): not an object") }
        guard value.serialized.count <= limit else {
            throw Invalid(message: "\(name): longer than \(limit) bytes as JSON")
        }
        return value
    }

    /// Another object, with fields of its own.
    func child(_ name: String, allowed: [String]) throws(Invalid) -> StateBody? {
        guard let value = fields[name] else { return nil }
        guard case .object = value else { throw Invalid(message: "\(name): not an object") }
        return try StateBody(value.serialized, allowed: allowed)
    }
}
