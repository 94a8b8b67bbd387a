/// Names a transport on the media plane. The owning shard is part of the key, so a command finds its thread by itself.
public struct TransportKey: Hashable, Sendable {
    /// The key as one number, for tables.
    public let rawValue: UInt64
    init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The shard that owns it.
    public var shard: Int { MediaKeyLayout.shard(of: rawValue) }
}

/// Names a producer on the media plane; it lives on its transport's shard.
public struct ProducerKey: Hashable, Sendable {
    /// The key as one number, for tables.
    public let rawValue: UInt64
    init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The shard that owns it.
    public var shard: Int { MediaKeyLayout.shard(of: rawValue) }
}

/// Names a consumer on the media plane; it lives on its transport's shard.
public struct ConsumerKey: Hashable, Sendable {
    /// The key as one number, for tables.
    public let rawValue: UInt64
    init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The shard that owns it.
    public var shard: Int { MediaKeyLayout.shard(of: rawValue) }
}

enum MediaKeyLayout {
    /// The top 16 bits are the shard's index, the rest a number never used twice in a process.
    static func key(shard: Int, serial: UInt64) -> UInt64 { UInt64(shard) << 48 | (serial & 0xFFFF_FFFF_FFFF) }
    static func shard(of key: UInt64) -> Int { Int(key >> 48) }
}
