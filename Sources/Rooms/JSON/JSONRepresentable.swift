/// A type with one JSON shape: the one mediasoup's clients read.
public protocol JSONRepresentable: Encodable, Sendable {
    /// The value as clients get it.
    var json: JSONValue { get }
}

extension JSONRepresentable {
    /// Encodes the JSON shape.
    public func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }
}
