/// Reads typed fields out of a JSON value and says which field was wrong.
public struct JSONReader: Sendable {
    /// What is read.
    public let value: JSONValue
    /// Where it is in the message.
    public let path: String

    /// Starts at a message's data; `path` names the value in errors.
    public init(_ value: JSONValue, path: String = "") {
        self.value = value
        self.path = path
    }

    /// An error about this value.
    public func failure(_ problem: String) -> JSONFieldError { JSONFieldError(path: path, problem: problem) }

    private func child(_ name: String, _ value: JSONValue) -> JSONReader {
        JSONReader(value, path: path.isEmpty ? name : "\(path).\(name)")
    }

    /// A field, or `nil` if it is absent or null.
    /// - Throws: when this value is not an object.
    public func optional(_ name: String, _ problem: String = "not an object") throws(JSONFieldError) -> JSONReader? {
        guard case .object(let fields) = value else { throw failure(problem) }
        guard let field = fields[name], field != .null else { return nil }
        return child(name, field)
    }

    /// A field that has to be there.
    public func required(_ name: String, _ problem: String = "missing") throws(JSONFieldError) -> JSONReader {
        guard let field = try optional(name) else { throw child(name, .null).failure(problem) }
        return field
    }

    /// The names of an object's fields.
    public func fields(_ problem: String = "not an object") throws(JSONFieldError) -> [(
        name: String, value: JSONReader
    )] {
        guard case .object(let fields) = value else { throw failure(problem) }
        return fields.sorted { $0.key < $1.key }.map { ($0.key, child($0.key, $0.value)) }
    }

    /// The elements of an array of at most `limit`.
    public func array(_ problem: String = "not an array", limit: Int = 256) throws(JSONFieldError) -> [JSONReader] {
        guard case .array(let values) = value else { throw failure(problem) }
        guard values.count <= limit else { throw failure("more than \(limit) elements") }
        return values.enumerated().map { JSONReader($0.element, path: "\(path)[\($0.offset)]") }
    }

    /// A string of at most `limit` bytes.
    public func string(_ problem: String = "not a string", limit: Int = 4096) throws(JSONFieldError) -> String {
        guard case .string(let text) = value else { throw failure(problem) }
        guard text.utf8.count <= limit else { throw failure("longer than \(limit) bytes") }
        return text
    }

    /// A boolean.
    public func bool(_ problem: String = "not a boolean") throws(JSONFieldError) -> Bool {
        guard case .bool(let flag) = value else { throw failure(problem) }
        return flag
    }

    /// A whole number within a type's range.
    public func integer<Number: FixedWidthInteger>(
        _ type: Number.Type = Number.self, _ problem: String = "not a whole number in range"
    ) throws(JSONFieldError) -> Number {
        guard case .integer(let number) = value, let result = Number(exactly: number) else { throw failure(problem) }
        return result
    }

    /// Any number.
    public func number(_ problem: String = "not a number") throws(JSONFieldError) -> Double {
        switch value {
        case .integer(let number): return Double(number)
        case .number(let number): return number
        default: throw failure(problem)
        }
    }
}
