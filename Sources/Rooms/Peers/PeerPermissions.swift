/// What a peer may do in its room.
public struct PeerPermissions: OptionSet, Sendable, Hashable {
    /// The set's bits.
    public let rawValue: UInt8
    /// A set of these bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Send audio and video.
    public static let publish = PeerPermissions(rawValue: 1)
    /// Receive what others send.
    public static let subscribe = PeerPermissions(rawValue: 2)
    /// Send data.
    public static let data = PeerPermissions(rawValue: 4)
    /// Mute, send away and let in others, and lock the room: by the HTTP API, with the same token.
    public static let moderate = PeerPermissions(rawValue: 8)
    /// Everything about one's own media and data.
    public static let all: PeerPermissions = [.publish, .subscribe, .data]

    var json: JSONValue {
        .object([
            "publish": .bool(contains(.publish)), "subscribe": .bool(contains(.subscribe)),
            "data": .bool(contains(.data)), "moderate": .bool(contains(.moderate)),
        ])
    }
}
