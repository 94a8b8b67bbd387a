/// A line of `RoomRegistry.list()`.
public struct RoomSummary: Sendable, Hashable, JSONRepresentable {
    /// Which room.
    public var id: RoomID
    /// How much is in it.
    public var counts: RoomCounts

    /// The room's fields.
    public var json: JSONValue {
        .object([
            "id": .string(id.rawValue), "peers": .integer(Int64(counts.peers)),
            "transports": .integer(Int64(counts.transports)), "producers": .integer(Int64(counts.producers)),
            "consumers": .integer(Int64(counts.consumers)),
        ])
    }
}
