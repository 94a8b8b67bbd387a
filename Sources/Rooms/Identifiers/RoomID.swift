/// Names a room.
public struct RoomID: Hashable, Sendable, CustomStringConvertible {
    /// The name as clients give it.
    public let rawValue: String
    /// Takes a name as it is.
    public init(_ rawValue: String) { self.rawValue = rawValue }
    /// The name.
    public var description: String { rawValue }
}
