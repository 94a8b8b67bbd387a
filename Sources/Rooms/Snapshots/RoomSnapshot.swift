/// A room at one moment, for the HTTP API.
public struct RoomSnapshot: Sendable, JSONRepresentable {
    /// Which room.
    public var id: RoomID
    /// Its peers, in the order they came.
    public var peers: [PeerSnapshot]
    /// Whether every transport's counters arrived in time; if not, they are absent.
    public var isComplete: Bool

    /// The snapshot as the HTTP API shows it.
    public var json: JSONValue {
        .object([
            "id": .string(id.rawValue), "complete": .bool(isComplete), "peers": .array(peers.map(\.json)),
        ])
    }
}
