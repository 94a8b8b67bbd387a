/// Names a peer within its room; chosen by the client.
public struct PeerID: Hashable, Sendable, CustomStringConvertible {
    /// The name as the client gives it.
    public let rawValue: String
    /// Takes a name as it is.
    public init(_ rawValue: String) { self.rawValue = rawValue }
    /// The name.
    public var description: String { rawValue }
}
