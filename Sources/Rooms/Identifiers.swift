/// Names a room.
public struct RoomID: Hashable, Sendable, CustomStringConvertible {
    /// The name as clients give it.
    public let rawValue: String
    /// Takes a name as it is.
    public init(_ rawValue: String) { self.rawValue = rawValue }
    /// The name.
    public var description: String { rawValue }
}

/// Names a peer within its room; chosen by the client.
public struct PeerID: Hashable, Sendable, CustomStringConvertible {
    /// The name as the client gives it.
    public let rawValue: String
    /// Takes a name as it is.
    public init(_ rawValue: String) { self.rawValue = rawValue }
    /// The name.
    public var description: String { rawValue }
}

/// Names a transport; chosen by the room.
public struct TransportID: Hashable, Sendable, CustomStringConvertible {
    /// The identifier as clients see it.
    public let rawValue: String
    /// Takes an identifier as it is.
    public init(_ rawValue: String) { self.rawValue = rawValue }
    /// The identifier.
    public var description: String { rawValue }
}

/// Names a producer; chosen by the room.
public struct ProducerID: Hashable, Sendable, CustomStringConvertible {
    /// The identifier as clients see it.
    public let rawValue: String
    /// Takes an identifier as it is.
    public init(_ rawValue: String) { self.rawValue = rawValue }
    /// The identifier.
    public var description: String { rawValue }
}

/// Names a consumer; chosen by the room.
public struct ConsumerID: Hashable, Sendable, CustomStringConvertible {
    /// The identifier as clients see it.
    public let rawValue: String
    /// Takes an identifier as it is.
    public init(_ rawValue: String) { self.rawValue = rawValue }
    /// The identifier.
    public var description: String { rawValue }
}
