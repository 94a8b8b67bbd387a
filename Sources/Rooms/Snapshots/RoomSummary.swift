/// A line of `RoomRegistry.list()`.
public struct RoomSummary: Sendable, JSONRepresentable {
    /// Which room.
    public var id: RoomID
    /// How much is in it.
    public var counts: RoomCounts
    /// When its first peer came, in milliseconds since 1970; `nil` while it has none.
    public var openedAt: Int64?
    /// Whether nobody but moderators gets in.
    public var isLocked: Bool
    /// Whether it has a password.
    public var needsPassword: Bool
    /// What it was made ahead with, if it was.
    public var plan: RoomPlan?

    /// The room's fields.
    public var json: JSONValue {
        .fields([
            "id": .string(id.rawValue), "peers": .integer(Int64(counts.peers)),
            "transports": .integer(Int64(counts.transports)), "producers": .integer(Int64(counts.producers)),
            "consumers": .integer(Int64(counts.consumers)),
            "openedAt": openedAt.map { .integer($0) }, "locked": .bool(isLocked),
            "needsPassword": .bool(needsPassword),
            "maxPeers": plan?.maximumPeers.map { .integer(Int64($0)) },
            "codecs": plan.flatMap { $0.codecs.isEmpty ? nil : .array($0.codecs.sorted().map { .string($0) }) },
            "metadata": plan?.metadata, "plannedUntil": plan.map { .integer($0.until) },
        ])
    }
}
