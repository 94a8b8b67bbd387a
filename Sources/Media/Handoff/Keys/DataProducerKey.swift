/// Names a data producer on the media plane; it lives on its transport's shard.
public struct DataProducerKey: Hashable, Sendable {
    /// The key as one number, for tables.
    public let rawValue: UInt64
    init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The shard that owns it.
    public var shard: Int { MediaKeyLayout.shard(of: rawValue) }
}
