/// Names a transport on the media plane. The owning shard is part of the key, so a command finds its thread by itself.
public struct TransportKey: Hashable, Sendable {
    /// The key as one number, for tables.
    public let rawValue: UInt64
    init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The shard that owns it.
    public var shard: Int { MediaKeyLayout.shard(of: rawValue) }
}
