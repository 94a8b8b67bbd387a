/// Names a data producer; chosen by the room.
public struct DataProducerID: Hashable, Sendable, CustomStringConvertible {
    /// The identifier as clients see it.
    public let rawValue: String
    /// Takes an identifier as it is.
    public init(_ rawValue: String) { self.rawValue = rawValue }
    /// The identifier.
    public var description: String { rawValue }
}
