/// A type that can be read from a client's message.
public protocol JSONReadable: Decodable {
    /// - Throws: `JSONFieldError` naming the first wrong field.
    init(_ reader: JSONReader) throws(JSONFieldError)
}

extension JSONReadable {
    /// Decodes any JSON.
    public init(from decoder: any Decoder) throws {
        try self.init(JSONReader(try JSONValue(from: decoder)))
    }
}
