enum MediaKeyLayout {
    /// The top 16 bits are the shard's index, the rest a number never used twice in a process.
    static func key(shard: Int, serial: UInt64) -> UInt64 { UInt64(shard) << 48 | (serial & 0xFFFF_FFFF_FFFF) }
    static func shard(of key: UInt64) -> Int { Int(key >> 48) }
}
