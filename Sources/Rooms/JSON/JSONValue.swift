/// A JSON text as a value (RFC 8259).
///
/// A number with an integral value that fits is always `integer`, so that equal numbers are equal values.
public enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// An object of the fields that are not `nil`.
    package static func fields(_ fields: KeyValuePairs<String, JSONValue?>) -> JSONValue {
        var object: [String: JSONValue] = [:]
        object.reserveCapacity(fields.count)
        for (name, value) in fields { if let value { object[name] = value } }
        return .object(object)
    }

    /// An object with another's fields, which win; this value if it is no object.
    package func merging(_ other: JSONValue) -> JSONValue {
        guard case .object(let fields) = self, case .object(let more) = other else { return self }
        return .object(fields.merging(more) { $1 })
    }

    /// A number, as `integer` if it is one.
    package static func normalized(_ value: Double) -> JSONValue {
        if let integer = Int64(exactly: value), abs(value) <= 9_007_199_254_740_992 { return .integer(integer) }
        return .number(value)
    }

    /// An unsigned count; beyond 2⁶³ it is given as a floating-point number.
    package static func count(_ value: UInt64) -> JSONValue {
        Int64(exactly: value).map(JSONValue.integer) ?? .number(Double(value))
    }
}

extension JSONValue: Codable {
    /// Decodes any JSON.
    public init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: FieldName.self) {
            var object: [String: JSONValue] = [:]
            for key in container.allKeys { object[key.stringValue] = try container.decode(JSONValue.self, forKey: key) }
            self = .object(object)
            return
        }
        if var container = try? decoder.unkeyedContainer() {
            var array: [JSONValue] = []
            while !container.isAtEnd { array.append(try container.decode(JSONValue.self)) }
            self = .array(array)
            return
        }
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .normalized(value)
        } else {
            self = .string(try container.decode(String.self))
        }
    }

    /// Encodes the JSON shape.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .object(let object):
            var container = encoder.container(keyedBy: FieldName.self)
            for (name, value) in object { try container.encode(value, forKey: FieldName(stringValue: name)) }
        case .array(let array):
            var container = encoder.unkeyedContainer()
            for value in array { try container.encode(value) }
        case .null:
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        case .bool(let value):
            var container = encoder.singleValueContainer()
            try container.encode(value)
        case .integer(let value):
            var container = encoder.singleValueContainer()
            try container.encode(value)
        case .number(let value):
            var container = encoder.singleValueContainer()
            try container.encode(value)
        case .string(let value):
            var container = encoder.singleValueContainer()
            try container.encode(value)
        }
    }

    private struct FieldName: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

extension JSONValue: JSONRepresentable {
    /// The fields mediasoup's clients read.
    public var json: JSONValue { self }
}
