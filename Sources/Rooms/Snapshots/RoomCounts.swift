/// How many objects a room has.
public struct RoomCounts: Sendable, Hashable {
    /// Connected peers, joined or not.
    public var peers = 0
    /// Open transports.
    public var transports = 0
    /// Open producers.
    public var producers = 0
    /// Open consumers.
    public var consumers = 0

    /// Nothing.
    public init() {}
}
